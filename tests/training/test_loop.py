"""The shared training loop against the tutorial's curves and against a loop that a user would write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.schedules.base import Schedule
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training import optimizers
from lrsearch.training.batches import DataOrder
from lrsearch.training.engine import Lane
from lrsearch.training.loop import start, train
from lrsearch.training.rates import LaneRates

REFERENCE = json.loads((Path(__file__).parent / "seed_curves.json").read_text())["curves"]


def schedule(name: str, **values: float) -> Schedule:
    made: Schedule = registry.schedules.get(name)(**values)
    return made


def small_task(**options: object) -> Task:
    task: Task = registry.tasks.get("polynomial").build({"rows": 100, "holdout_rows": 0, **options})
    return task


@pytest.mark.parametrize("key", REFERENCE)
def test_repeats_the_tutorials_curves(key: str) -> None:
    """Rounding differs from CPU to CPU, and is amplified at high rates: only the first epochs are compared there."""
    family, *numbers = key.split()
    given = dict(part.split("=") for part in numbers)
    lr, epochs = float(given["lr"]), int(given["epochs"])
    shape = schedule(family, **({"decay": float(given["gamma"])} if "gamma" in given else {}))
    task = registry.tasks.get("polynomial").build({})
    records = list(train(start(task, shape, lr, TrainingSection(epochs=epochs), seed=24)))
    assert [record.epoch for record in records] == list(range(1, epochs + 1))
    compared = epochs if lr <= 0.01 else 5
    for name in ("train_mse", "test_mse"):
        ours = [getattr(record, name.replace("mse", "metric")) for record in records]
        assert ours[:compared] == pytest.approx(REFERENCE[key][name][:compared], rel=1e-5)


def plain_script(task: Task, shape: Schedule, lr: float, training: TrainingSection, seed: int) -> list[float]:
    """What a user would write: DataLoader, torch optimizer, torch scheduler. Gives the test MSE of each epoch."""
    torch.manual_seed(seed)
    model = task.model()
    loader = DataLoader(TensorDataset(*task.train), batch_size=training.batch_size, shuffle=True)
    optimizer = optimizers.build(training, model.parameters(), lr)
    scheduler = shape.build(optimizer, shape.steps(training.epochs, len(loader)))
    curve = []
    for _ in range(training.epochs):
        model.train()
        for inputs, targets in loader:
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(inputs), targets).backward()
            optimizer.step()
            if shape.unit == "batch":
                scheduler.step()
        if shape.unit == "epoch":
            scheduler.step()
        model.eval()
        with torch.no_grad():
            curve.append(torch.nn.functional.mse_loss(model(task.test[0]), task.test[1]).item())
    return curve


@pytest.mark.parametrize("family", ["constant", "lambda", "exponential", "one_cycle"])
@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        {"optimizer": "adam", "weight_decay": 0.01},
        {"optimizer": "adamw", "weight_decay": 0.1, "betas": [0.8, 0.99]},
    ],
    ids=["sgd", "nesterov", "adam", "adamw"],
)
def test_equals_a_plain_pytorch_script(family: str, settings: dict[str, object]) -> None:
    """Bit for bit: same weights, same order of rows, same rates."""
    training = TrainingSection(epochs=3, batch_size=16, **settings)  # type: ignore[arg-type]
    task = small_task()
    records = train(start(task, schedule(family), 0.01, training, seed=5))
    assert [record.test_metric for record in records] == plain_script(task, schedule(family), 0.01, training, 5)


@pytest.mark.parametrize("rows", [5, 16, 33])
def test_data_order_is_the_loaders(rows: int) -> None:
    torch.manual_seed(3)
    loader = DataLoader(torch.arange(rows), batch_size=7, shuffle=True)
    expected = [[batch.tolist() for batch in loader] for _ in range(3)]
    order = DataOrder(torch.Generator().manual_seed(3), rows, 7)
    assert [[batch.tolist() for batch in order.epoch()] for _ in range(3)] == expected
    assert order.batches_per_epoch == len(loader)


def test_training_leaves_the_global_random_stream_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    list(train(start(small_task(), schedule("constant"), 0.01, TrainingSection(epochs=2), seed=9)))
    assert torch.equal(torch.rand(3), expected)


def test_runs_that_take_turns_do_not_disturb_each_other() -> None:
    """With dropout each run needs a random stream of its own."""
    plain = small_task()
    task = Task(
        model=lambda: torch.nn.Sequential(torch.nn.Dropout(0.5), plain.model()),
        train=plain.train,
        test=plain.test,
        loss="mse",
        metric="mse",
    )
    training = TrainingSection(epochs=4)

    def alone(seed: int) -> list[float]:
        return [r.train_metric for r in train(start(task, schedule("constant"), 0.01, training, seed))]

    first, second = (train(start(task, schedule("constant"), 0.01, training, seed)) for seed in (1, 2))
    together = [(a.train_metric, b.train_metric) for a, b in zip(first, second, strict=True)]
    assert [list(curve) for curve in zip(*together, strict=True)] == [alone(1), alone(2)]


def test_can_stop_and_go_on_in_the_middle() -> None:
    training = TrainingSection(epochs=6)
    whole = list(train(start(small_task(), schedule("one_cycle"), 0.05, training, seed=1)))
    run = start(small_task(), schedule("one_cycle"), 0.05, training, seed=1)
    parts = [*train(run, epochs=2), *train(run, epochs=1), *train(run)]
    assert [r.test_metric for r in parts] == [r.test_metric for r in whole]


@pytest.mark.parametrize("lr", [1e3, 1e30])
def test_divergence_ends_a_run_and_lasts(lr: float) -> None:
    run = start(small_task(batch_norm="none"), schedule("constant"), lr, TrainingSection(epochs=50), seed=1)
    records = list(train(run))
    assert [record.diverged for record in records] == [False] * (len(records) - 1) + [True]
    assert list(train(run)) == []


def test_a_run_that_learns_has_not_diverged() -> None:
    run = start(small_task(), schedule("constant"), 0.01, TrainingSection(epochs=20), seed=1)
    records = list(train(run))
    assert not run.diverged
    assert records[-1].train_metric < run.before.train_metric


@pytest.mark.parametrize(("rows", "batches"), [(21, 2), (20, 2), (7, 1)])
def test_drop_last_leaves_out_what_a_loader_leaves_out(rows: int, batches: int) -> None:
    """The same rows in the same order as ``DataLoader(drop_last=True)``; the only batch of an epoch stays."""
    order = DataOrder(torch.Generator().manual_seed(3), rows, 10, drop_last=True)
    whole = DataOrder(torch.Generator().manual_seed(3), rows, 10)
    assert order.batches_per_epoch == batches
    for _ in range(3):
        kept, drawn = order.epoch(), whole.epoch()
        assert [batch.tolist() for batch in kept] == [batch.tolist() for batch in drawn[:batches]]


@pytest.mark.parametrize("drop_last", [False, True])
def test_single_row_before_batch_norm_names_drop_last(drop_last: bool) -> None:
    task = registry.tasks.get("polynomial").build({"rows": 100, "holdout_rows": 0})
    size = task.train_rows - 1
    training = TrainingSection(epochs=1, batch_size=size, drop_last=drop_last)
    run = start(task, schedule("constant"), 0.01, training, 1)
    assert any(isinstance(module, torch.nn.BatchNorm1d) for module in run.model.modules())
    if drop_last:
        assert len(list(train(run))) == 1
    else:
        with pytest.raises(InputError, match="BatchNorm needs two: set drop_last = true"):
            list(train(run))


@pytest.mark.parametrize("name", sorted(registry.schedules))
@pytest.mark.parametrize("warmup", [0.06, 0.5])
def test_both_engines_warm_up_by_updates(name: str, warmup: float) -> None:
    """3 epochs and 6 % is the usual recipe of fine-tuning: the rate rises within the first epoch."""
    training = TrainingSection(epochs=3, batch_size=2)
    made = schedule(name, warmup_fraction=warmup)
    run = start(small_task(), made, 0.1, training, 1)
    lane = LaneRates(Lane(0.1, made, 1), training, run.updates_per_epoch)
    rates = []
    for run.epoch in range(3):
        rates += [run.rate(number) for number in range(run.updates_per_epoch)]
        assert lane.of_epoch(run.epoch) == rates[-run.updates_per_epoch :]
    if name != "one_cycle":
        rising = round(warmup * 3 * run.updates_per_epoch)
        assert rates[:rising] == [0.1 * ((n + 1) / (rising + 1)) for n in range(rising)]
