"""What larger models need of the sequential loop: Datasets with workers, clipping, accumulation, mixed precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from workloads import CLASSES, IMAGES, TASKS, regression

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.schedules.base import Schedule
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.blocks import per_block
from lrsearch.tasks.data import pair
from lrsearch.tasks.task import Task
from lrsearch.training import precision
from lrsearch.training.choice import choose_engine
from lrsearch.training.loop import own_stream, start, train, updates
from lrsearch.training.precision import Precision
from lrsearch.training.probe import probe
from lrsearch.training.run import Run


def schedule(name: str = "one_cycle") -> Schedule:
    made: Schedule = registry.schedules.get(name)()
    return made


def run(task: Task, seed: int = 3, name: str = "one_cycle", **training: Any) -> Run:
    section = TrainingSection(**{"epochs": 3, "batch_size": 16, **training})
    return start(task, schedule(name), 0.02, section, seed)


def curve(begun: Run) -> list[tuple[float, float]]:
    return [(record.train_metric, record.test_metric) for record in train(begun)]


class Rows(Dataset[Any]):
    """Rows of tensors, read one by one."""

    def __init__(self, inputs: Tensor, targets: Tensor, noise: float = 0.0) -> None:
        self.inputs = inputs
        self.targets = targets
        self.noise = noise

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> Any:
        noise = self.noise * torch.randn(self.inputs.shape[1:]) if self.noise else 0.0
        return self.inputs[index] + noise, self.targets[index]


def stack(rows: list[Any]) -> tuple[Tensor, Tensor]:
    return torch.stack([row for row, _ in rows]), torch.stack([target for _, target in rows])


def streamed(task: Task, noise: float = 0.0) -> Task:
    """The task with training and test rows that are read by a DataLoader."""
    train, test = Rows(*pair(task.train), noise), Rows(*pair(task.test))
    return Task(task.model, train, test, task.loss, task.metric, collate=stack)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_gives_the_same_batches_as_tensors(workers: int) -> None:
    """Same seed, same weights, same order of rows; only the mean over batches is rounded otherwise."""
    task = TASKS["convolution"]
    expected = curve(run(task))
    found = curve(run(streamed(task), loader_workers=workers))
    assert found == [pytest.approx(pair_of_metrics, rel=1e-5) for pair_of_metrics in expected]


def test_weights_are_equal_to_the_last_bit_after_streaming() -> None:
    task = TASKS["layer_norm"]
    runs = [run(task), run(streamed(task))]
    for begun in runs:
        list(train(begun))
    for one, other in zip(*(begun.model.parameters() for begun in runs), strict=True):
        assert torch.equal(one, other)


def test_augmentation_belongs_to_the_seed_and_survives_a_checkpoint(tmp_path: Path) -> None:
    from lrsearch.study_file.model import PluginSection
    from lrsearch.training import checkpoint
    from lrsearch.training.definition import RunDefinition

    task = streamed(regression(lambda: nn.Linear(8, 1)), noise=0.3)
    whole = curve(run(task))
    assert curve(run(task)) == whole
    assert curve(run(task, seed=4)) != whole
    begun = run(task)
    first = [next(train(begun)).test_metric]
    definition = RunDefinition(PluginSection(name="polynomial"), begun.training, 0.02, schedule())
    checkpoint.save(tmp_path / "run.ckpt", definition, begun)
    resumed = run(task)
    checkpoint.restore(checkpoint.read(tmp_path / "run.ckpt"), resumed)
    assert [*first, *(test for _, test in curve(resumed))] == [test for _, test in whole]


class LastState(nn.Module):
    """A small LSTM that reads numbers of any count and gives one."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTM(1, 8, batch_first=True)
        self.last = nn.Linear(8, 1)

    def forward(self, rows: Any) -> Tensor:
        out: Tensor = self.last(self.cell(rows)[1][0][-1])
        return out


class Sums(Dataset[Any]):
    """Sequences of three to seven numbers, and their sums."""

    def __init__(self, rows: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.rows = [torch.randn(3 + row % 5, 1, generator=generator) for row in range(rows)]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return self.rows[index], self.rows[index].sum(dim=0)


def packed(rows: list[Any]) -> tuple[Any, Tensor]:
    inputs = nn.utils.rnn.pack_sequence([row for row, _ in rows], enforce_sorted=False)
    return inputs, torch.stack([target for _, target in rows])


def test_an_lstm_learns_from_sequences_of_different_lengths() -> None:
    task = Task(LastState, Sums(80, 0), Sums(30, 1), "mse", "mse", collate=packed)
    engine, note = choose_engine("auto", task, TrainingSection(), "cpu")
    assert (engine.name, note) == (
        "sequential",
        "engine: sequential (train rows are read from a Dataset: the task has a collate)",
    )
    begun = run(task, optimizer="adam", epochs=8, batch_size=8, name="constant")
    records = curve(begun)
    assert records[-1][1] < 0.5 * begun.before.test_metric


def test_each_batch_that_a_loader_reads_is_a_block() -> None:
    task = Task(LastState, Sums(20, 0), Sums(30, 1), "mse", "mse", collate=packed)
    begun = run(replace(task, details={"blocks": per_block(task, task.test)}), epochs=2, batch_size=8)
    first, last = train(begun)
    assert not first.details
    for record in (begun.before, last):
        assert record.details["blocks"].shape == (4,)
        assert record.details["blocks"].mean() == pytest.approx(record.test_metric)


def test_a_convolution_learns_digits() -> None:
    digits = registry.tasks.get("digits").build({})

    def model() -> nn.Module:
        return nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 10)
        )

    task = replace(digits, model=model, metric="error")
    begun = run(task, optimizer="adam", epochs=3, name="constant")
    assert curve(begun)[-1][1] < 0.15 < 0.8 < begun.before.test_metric
    assert probe(task, TrainingSection()).ok


def test_accumulated_batches_make_the_update_of_one_large_batch() -> None:
    """No BatchNorm here: its statistics are those of each batch."""
    task = regression(lambda: nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 1)))
    large = curve(run(task, batch_size=20))
    small = curve(run(task, batch_size=5, accumulate=4))
    assert small == [pytest.approx(metrics, rel=1e-4) for metrics in large]


def test_schedules_count_updates_and_the_last_update_may_be_smaller() -> None:
    begun = run(regression(lambda: nn.Linear(8, 1)), batch_size=8, accumulate=3)
    assert (begun.order.batches_per_epoch, begun.updates_per_epoch, begun.horizon) == (7, 3, 9)
    with own_stream(begun):
        assert len(list(updates(begun))) == 3


def test_clipping_limits_the_whole_gradient() -> None:
    """One update of plain SGD moves the weights by the rate times the limit."""
    begun = run(regression(lambda: nn.Linear(8, 1)), clip_norm=1e-3, name="constant", batch_size=50)
    before = torch.cat([parameter.detach().flatten().clone() for parameter in begun.model.parameters()])
    with own_stream(begun):
        list(updates(begun))
    after = torch.cat([parameter.detach().flatten() for parameter in begun.model.parameters()])
    assert float((after - before).norm()) == pytest.approx(0.02 * 1e-3, rel=1e-3)
    assert curve(run(TASKS["layer_norm"], clip_norm=1e9)) == curve(run(TASKS["layer_norm"]))


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_mixed_precision_is_close_to_float32(name: str) -> None:
    """On the CPU, where torch's autocast and scaler do the same; a run takes them on CUDA only."""
    task = Task(TASKS["convolution"].model, (IMAGES, CLASSES), (IMAGES, CLASSES), "cross_entropy", "cross_entropy")
    exact, mixed = run(task, epochs=4), run(task, epochs=4)
    mixed.precision = Precision(name, torch.device("cpu"))
    if mixed.precision.scaler is not None:
        mixed.precision.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
    for one, other in zip(curve(exact), curve(mixed), strict=True):
        assert other == pytest.approx(one, rel=0.05)
        assert other != one
    assert {parameter.dtype for parameter in mixed.model.parameters()} == {torch.float32}


def test_clipping_sees_gradients_without_the_scale() -> None:
    task = TASKS["layer_norm"]
    begun = run(task, clip_norm=1e-3, name="constant", batch_size=50)
    begun.precision = Precision("float16", torch.device("cpu"))
    before = torch.cat([parameter.detach().flatten().clone() for parameter in begun.model.parameters()])
    with own_stream(begun):
        list(updates(begun))
    after = torch.cat([parameter.detach().flatten() for parameter in begun.model.parameters()])
    assert float((after - before).norm()) == pytest.approx(0.02 * 1e-3, rel=1e-2)


def test_the_scale_of_float16_survives_a_checkpoint() -> None:
    scaled = Precision("float16", torch.device("cpu"))
    assert scaled.scaler is not None
    scaled.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**5)
    again = Precision("float16", torch.device("cpu"))
    again.load(scaled.state())
    assert again.scaler is not None
    assert again.scaler.get_scale() == 2.0**5
    assert Precision("bfloat16", torch.device("cpu")).state() == {}


@pytest.mark.parametrize("engine", ["auto", "sequential", "batched"])
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_mixed_precision_that_a_cpu_has_not_is_refused(engine: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: False)
    training = TrainingSection(precision=name)  # type: ignore[arg-type]
    words = f'training.precision = "{name}": needs a CUDA device, and this trains on cpu; take float32'
    with pytest.raises(InputError, match=words):
        choose_engine(engine, TASKS["layer_norm"], training, "cpu")
    with pytest.raises(InputError, match=words):
        start(TASKS["layer_norm"], schedule(), 0.1, training, 1)


def test_a_cpu_that_has_bfloat16_trains_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: True)
    task = regression(lambda: nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 1)))
    engine, note = choose_engine("auto", task, TrainingSection(precision="bfloat16"), "cpu")
    assert (engine.name, note) == ("sequential", 'engine: sequential (training.precision = "bfloat16")')
    begun = run(task, precision="bfloat16", epochs=2)
    found = curve(begun)
    assert found == [pytest.approx(metrics, rel=0.05) for metrics in curve(run(task, epochs=2))]
    assert {parameter.dtype for parameter in begun.model.parameters()} == {torch.float32}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("workers", [0, 2])
def test_all_of_it_together_on_cuda(precision: str, workers: int) -> None:
    from lrsearch.training.devices import moved

    task = moved(streamed(TASKS["convolution"]), torch.device("cuda"))
    begun = run(task, precision=precision, loader_workers=workers, clip_norm=1.0, accumulate=2)
    expected = curve(run(TASKS["convolution"], clip_norm=1.0, accumulate=2))
    assert curve(begun) == [pytest.approx(metrics, rel=0.1) for metrics in expected]


@pytest.mark.parametrize(
    ("training", "reason"),
    [
        ({"clip_norm": 1.0}, "training.clip_norm = 1.0"),
        ({"accumulate": 2}, "training.accumulate = 2"),
        ({"precision": "float16"}, 'training.precision = "float16"'),
        ({"ema": 0.9}, "training.ema = 0.9"),
        ({"optimizer": "rmsprop"}, 'training.optimizer = "rmsprop"; batches have sgd, adam, adamw'),
        ({"options": {"dampening": 0.1}}, "training.dampening = 0.1"),
    ],
)
def test_the_batched_engine_declines_what_it_does_not_do(training: dict[str, Any], reason: str) -> None:
    outcome = probe(TASKS["layer_norm"], TrainingSection(**training))
    assert (outcome.ok, outcome.reason) == (False, reason)
