"""Seconds per epoch, measured on a part of the rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from workloads import regression

from lrsearch.errors import InputError
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import count
from lrsearch.tasks.task import Task
from lrsearch.training.engine import Lane, LaneRecords, LaneStream, SequentialEngine
from lrsearch.training.timing import epoch_seconds
from lrsearch.training.when_evaluated import evaluations_of


class Clock:
    """An engine whose epochs take a second per thousand training rows, and long at first."""

    name = "clock"
    together = False
    one_pass = False
    may_differ: Collection[str] = ()
    in_memory = True
    seen: tuple[int, int, int]
    evaluations: int

    def train(
        self, task: Task, lanes: Sequence[Lane], training: TrainingSection, pauses: Collection[int] = ()
    ) -> LaneStream:
        self.seen = task.train_rows, count(task.test), len(lanes)
        self.evaluations = evaluations_of(task, training)
        for epoch in range(self.evaluations + 1):
            seconds = task.train_rows / 1000 + (100 if epoch < 2 else 0)
            none = np.zeros(1)
            yield LaneRecords(epoch, (0,), none, none, none, none.astype(bool), {}, seconds)


def linear(rows: int, tests: int) -> Task:
    return Task(nn.Identity, (torch.zeros(rows, 1),) * 2, (torch.zeros(tests, 1),) * 2, "mse", "mse")


@pytest.mark.parametrize(
    ("rows", "seen"),
    [(100, (100, 50, 3)), (200, (200, 50, 3)), (10_003, (203, 2, 3))],
    ids=["all", "all batches", "a part, with the short batch"],
)
def test_many_rows_are_measured_in_part_and_scaled_up(rows: int, seen: tuple[int, int, int]) -> None:
    clock = Clock()
    assert epoch_seconds(clock, linear(rows, 50), TrainingSection(batch_size=10), 3) == pytest.approx(rows / 1000)
    assert clock.seen == seen


def test_evaluations_within_an_epoch_are_as_many_on_a_part() -> None:
    """Ten for an epoch of 1,000 updates: ten on 20 of them, each on a fiftieth of the test rows."""
    clock, training = Clock(), TrainingSection(batch_size=10, evaluate_every=100)
    assert epoch_seconds(clock, linear(10_000, 50), training, 3) == pytest.approx(10 * 10_000 / 1000)
    assert (clock.evaluations, clock.seen) == (30, (200, 1, 3))


def test_a_model_that_cannot_be_trained_is_named() -> None:
    def lonely(inputs: Any) -> Any:
        raise ArithmeticError("not today")

    task = regression(lambda: nn.Linear(8, 1))
    broken = Task(task.model, task.train, task.test, lambda *_: lonely(_), "mse")
    with pytest.raises(InputError, match="fails while it trains: ArithmeticError: not today"):
        epoch_seconds(SequentialEngine(), broken, TrainingSection(), 1)
