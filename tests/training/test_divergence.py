"""The rule that says when a run has diverged."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from lrsearch.schedules.classical import Constant
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import pair
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.divergence import ConstantValues, diverged
from lrsearch.training.engine import Engine, Lane, SequentialEngine


@pytest.mark.parametrize(
    ("value", "before", "expected"),
    [
        (math.nan, 1.0, True),
        (math.inf, 1.0, True),
        (-math.inf, 1.0, True),
        (1000.1, 1.0, True),
        (1000.0, 1.0, False),
        (5.0, 0.0, False),
        (0.0, 1.0, False),
    ],
)
def test_rule(value: float, before: float, expected: bool) -> None:
    assert diverged(value, before) is expected


@pytest.mark.parametrize("before", [-5.0, 5.0])
def test_size_of_the_start_value_counts_not_its_sign(before: float) -> None:
    """A loss below 0 diverges where one above 0 does; a metric that is to rise, where it falls as far."""
    assert diverged(5001.0, before)
    assert not diverged(4999.0, before)
    assert not diverged(-5001.0, before)
    assert diverged(-5001.0, before, maximise=True)
    assert not diverged(5001.0, before, maximise=True)


class Residual(nn.Module):
    """Its input, and a correction that is nothing in the beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.correction = nn.Linear(3, 3)
        with torch.no_grad():
            self.correction.weight.zero_()
            self.correction.bias.zero_()

    def forward(self, rows: Tensor) -> Tensor:
        out: Tensor = rows + self.correction(rows)
        return out


def residual(scale: float = 1e-3) -> Task:
    inputs = torch.randn(80, 3, generator=torch.Generator().manual_seed(0))
    targets = inputs + scale * torch.tanh(inputs)
    return Task(Residual, (inputs[:50], targets[:50]), (inputs[50:], targets[50:]), "mse", "mse")


@pytest.mark.parametrize("engine", [SequentialEngine(), BatchedEngine()], ids=lambda engine: engine.name)
def test_a_network_that_begins_almost_perfect_may_get_worse_for_a_while(engine: Engine) -> None:
    """A start loss below 1e-6 says little of what is large; the variance of the targets is about 1."""
    training = TrainingSection(epochs=8, batch_size=10, optimizer="adam")
    lanes = [Lane(lr, Constant(), seed=1) for lr in (0.03, 3e4)]
    records = list(engine.train(residual(), lanes, training))
    before, first, last = records[0], records[1], records[-1]
    assert before.test_metric[0] < 1e-6
    assert first.test_metric[0] > 1e3 * before.test_metric[0]
    assert not first.diverged[0]
    assert last.lanes == (0,)
    assert first.diverged[1]


def test_what_a_constant_prediction_comes_to() -> None:
    task = residual()
    constants = ConstantValues(task)
    mean = pair(task.train)[1].mean(dim=0)
    for value, (_, targets) in ((constants.loss(), pair(task.train)), (constants.metric(), pair(task.test))):
        assert value == pytest.approx(float((targets - mean).square().mean()), rel=1e-5)


def test_a_constant_prediction_is_asked_for_only_where_the_start_says_diverged() -> None:
    asked = []

    def constant() -> float:
        asked.append(1)
        return 10.0

    assert not diverged(999.0, 1.0, constant=constant)
    assert not asked
    assert not diverged(5000.0, 1.0, constant=constant)
    assert diverged(10001.0, 1.0, constant=constant)
    assert diverged(10001.0, 0.0, constant=constant)
    assert not diverged(10001.0, 0.0, constant=lambda: None)
    assert diverged(math.nan, 1.0, constant=constant)
    assert len(asked) == 3
