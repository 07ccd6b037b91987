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


class Clock:
    """An engine whose epochs take a second per thousand training rows, and long at first."""

    name = "clock"
    together = False
    one_pass = False
    in_memory = True
    seen: tuple[int, int, int]

    def train(
        self, task: Task, lanes: Sequence[Lane], training: TrainingSection, pauses: Collection[int] = ()
    ) -> LaneStream:
        self.seen = task.train_rows, count(task.test), len(lanes)
        for epoch in range(training.epochs + 1):
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


def test_a_model_that_cannot_be_trained_is_named() -> None:
    def lonely(inputs: Any) -> Any:
        raise ArithmeticError("not today")

    task = regression(lambda: nn.Linear(8, 1))
    broken = Task(task.model, task.train, task.test, lambda *_: lonely(_), "mse")
    with pytest.raises(InputError, match="fails while it trains: ArithmeticError: not today"):
        epoch_seconds(SequentialEngine(), broken, TrainingSection(), 1)
