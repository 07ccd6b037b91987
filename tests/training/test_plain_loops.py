"""What models need beside plain SGD, against a loop that a user would write: bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset

import lrsearch
from lrsearch import registry
from lrsearch.schedules.base import Schedule
from lrsearch.study_file.model import PluginSection, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training import checkpoint
from lrsearch.training.definition import RunDefinition
from lrsearch.training.loop import start, train
from lrsearch.training.run import Run

INPUTS = torch.randn(70, 8, generator=torch.Generator().manual_seed(3))
TARGETS = INPUTS[:, :3].prod(dim=1, keepdim=True)
TRAIN, TEST = (INPUTS[:50], TARGETS[:50]), (INPUTS[50:], TARGETS[50:])
LR, SEED, EPOCHS = 0.01, 5, 3


class Net(nn.Module):
    """A body with BatchNorm and dropout, and a head."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(dropout))
        self.head = nn.Linear(6, 1)

    def forward(self, rows: Tensor) -> Tensor:
        out: Tensor = self.head(self.body(rows))
        return out


class Frozen(Net):
    """The body is not trained."""

    def __init__(self) -> None:
        super().__init__()
        for parameter in self.body.parameters():
            parameter.requires_grad_(False)


class SignDescent(torch.optim.Optimizer):
    """An optimizer of a person's own."""

    def __init__(self, params: Any, lr: float, decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["decay"]).add_(parameter.grad.sign(), alpha=-group["lr"])


@pytest.fixture
def sign_descent() -> Iterator[None]:
    """It is registered while the test runs."""
    lrsearch.optimizer(SignDescent)
    yield
    registry.optimizers._things.pop("signdescent")


def task(model: Callable[[], nn.Module] = Net, **parts: Any) -> Task:
    return Task(model, TRAIN, TEST, **{"loss": "mse", "metric": "mse", **parts})


def begun(made: Task, name: str = "linear", **training: Any) -> Run:
    schedule: Schedule = registry.schedules.get(name)()
    return start(made, schedule, LR, TrainingSection(**{"epochs": EPOCHS, "batch_size": 16, **training}), SEED)


def ours(run: Run) -> list[float]:
    return [record.test_metric for record in train(run)]


def plain(
    made: Task,
    optimizer_of: Callable[[nn.Module], torch.optim.Optimizer],
    *,
    clip: float | None = None,
    ema: float | None = None,
    accumulate: int = 1,
    loss: Any = nn.functional.mse_loss,
) -> list[float]:
    """What a user would write; the rate falls linearly to a hundredth of its start, as `linear` lets it by default."""
    torch.manual_seed(SEED)
    model = made.model()
    loader = DataLoader(TensorDataset(*TRAIN), batch_size=16, shuffle=True)
    optimizer = optimizer_of(model)
    per_epoch = -(-len(loader) // accumulate)
    schedule = registry.schedules.get("linear")()
    scheduler = schedule.build(optimizer, schedule.steps(EPOCHS, per_epoch))
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(ema)) if ema else None
    curve = []
    for _ in range(EPOCHS):
        batches = list(loader)
        for begin in range(0, len(batches), accumulate):
            model.train()
            optimizer.zero_grad()
            group = batches[begin : begin + accumulate]
            for inputs, targets in group:
                (loss(model(inputs), targets) / len(group)).backward()
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            if average is not None:
                average.update_parameters(model)
            scheduler.step()
        evaluated = model if average is None else average.module
        evaluated.eval()
        with torch.no_grad():
            curve.append(nn.functional.mse_loss(evaluated(TEST[0]), TEST[1]).item())
    return curve


TORCH = [
    ("rmsprop", {"alpha": 0.9, "momentum": 0.5}, torch.optim.RMSprop),
    ("adagrad", {"eps": 1e-8}, torch.optim.Adagrad),
    ("nadam", {"betas": [0.8, 0.99], "weight_decay": 0.01}, torch.optim.NAdam),
    ("rprop", {"etas": [0.4, 1.3]}, torch.optim.Rprop),
    ("adadelta", {}, torch.optim.Adadelta),
    ("adam", {"amsgrad": True}, torch.optim.Adam),
]


@pytest.mark.parametrize(("name", "options", "kind"), TORCH, ids=[name for name, _, _ in TORCH])
def test_any_optimizer_of_torch(name: str, options: dict[str, Any], kind: Any) -> None:
    found = ours(begun(task(), optimizer=name, options=options))
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    assert found == plain(task(), lambda model: kind(model.parameters(), lr=LR, **given))


@pytest.mark.usefixtures("sign_descent")
def test_an_optimizer_of_a_persons_own() -> None:
    found = ours(begun(task(), optimizer="signdescent", options={"decay": 0.1}))
    assert found == plain(task(), lambda model: SignDescent(model.parameters(), lr=LR, decay=0.1))


def test_a_head_that_learns_ten_times_faster_than_a_body_that_decays() -> None:
    def groups(model: Any) -> list[dict[str, Any]]:
        return [
            {"params": model.body.parameters(), "weight_decay": 0.1},
            {"params": model.head.parameters(), "lr_scale": 10.0},
        ]

    def optimizer(model: Any) -> torch.optim.Optimizer:
        return torch.optim.SGD(
            [{"params": model.body.parameters(), "weight_decay": 0.1},
             {"params": model.head.parameters(), "lr": 10 * LR}],
            lr=LR, momentum=0.9,
        )  # fmt: skip

    run = begun(task(parameters=groups), momentum=0.9)
    assert ours(run) == pytest.approx(plain(task(), optimizer), rel=1e-6)
    assert run.records[0].lr == LR


def test_a_frozen_body_stays_as_it_is() -> None:
    for parameters in (None, lambda model: [{"params": model.head.parameters()}]):
        run = begun(task(Frozen, parameters=parameters), optimizer="rmsprop")
        before = [parameter.clone() for parameter in run.model.body.parameters()]  # type: ignore[union-attr, operator]
        assert ours(run) == plain(task(Frozen), lambda model: torch.optim.RMSprop(model.head.parameters(), lr=LR))
        after = run.model.body.parameters()  # type: ignore[union-attr, operator]
        assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_averaged_weights_are_evaluated() -> None:
    run = begun(task(), ema=0.9)
    found = ours(run)
    assert found == plain(task(), lambda model: torch.optim.SGD(model.parameters(), lr=LR), ema=0.9)
    assert found != ours(begun(task()))
    assert run.average is not None
    mean = "body.1.running_mean"
    assert torch.equal(run.average.module.get_buffer(mean), run.model.get_buffer(mean))


def test_averaged_weights_survive_a_checkpoint(tmp_path: Path) -> None:
    whole = ours(begun(task(), ema=0.9))
    first, second = begun(task(), ema=0.9), begun(task(), ema=0.9)
    next(train(first))
    definition = RunDefinition(PluginSection(name="polynomial"), first.training, LR, first.schedule)
    checkpoint.save(tmp_path / "run.ckpt", definition, first)
    checkpoint.restore(checkpoint.read(tmp_path / "run.ckpt"), second)
    assert [whole[0], *ours(second)] == whole


def test_clipping_is_torchs() -> None:
    sgd = lambda model: torch.optim.SGD(model.parameters(), lr=LR)  # noqa: E731
    assert ours(begun(task(), clip_norm=0.1)) == plain(task(), sgd, clip=0.1)


def test_a_short_last_group_of_batches_is_the_mean_of_its_losses() -> None:
    """Batches of 16, 16, 16 and 2 rows; two updates of three and one batch."""
    sgd = lambda model: torch.optim.SGD(model.parameters(), lr=LR)  # noqa: E731
    assert ours(begun(task(), accumulate=3)) == plain(task(), sgd, accumulate=3)


def test_how_often_noise_is_looked_at_changes_no_training() -> None:
    """The model draws while it trains and while it is evaluated."""

    class Noisy(Net):
        def forward(self, rows: Tensor) -> Tensor:
            return super().forward(rows) + 0.1 * torch.randn(len(rows), 1)

    often, seldom = (begun(task(lambda: Noisy(dropout=0.3)), train_metric_every=every, epochs=4) for every in (1, 4))
    assert ours(often) == ours(seldom)
    for one, other in zip(often.model.parameters(), seldom.model.parameters(), strict=True):
        assert torch.equal(one, other)
