"""What a run came to, in numbers and code."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from lrsearch.training.definition import Changes, RunDefinition, changed, parse
from lrsearch.training.loop import train
from lrsearch.training.outcome import outcome
from lrsearch.training.steering import Segment, steer


def defined(lr: float = 0.05, **changes: Any) -> RunDefinition:
    small = ["task.rows=60", "task.holdout_rows=0", "training.epochs=5"]
    return parse(changed({}, Changes(task="polynomial", lr=lr, settings=small, **changes)), "test")


def rates_of(code: str, epochs: int) -> list[float]:
    scope: dict[str, Any] = {"model": torch.nn.Linear(1, 1)}
    exec(code, scope)
    rates = []
    for _ in range(epochs):
        rates.append(scope["optimizer"].param_groups[0]["lr"])
        scope["optimizer"].step()
        scope["scheduler"].step()
    return rates


def test_best_and_last_are_told_apart() -> None:
    definition = defined(scheduler="lambda", parameters={"decay": 0.5})
    run = definition.start(definition.build_task())
    records = list(train(run))
    came_to = outcome(definition, run)
    best = min(records, key=lambda record: record.test_metric)
    assert (came_to.epochs, came_to.final.test, came_to.before.test) == (
        5, records[-1].test_metric, run.before.test_metric,
    )  # fmt: skip
    assert (came_to.best_test.epoch, came_to.best_test.test) == (best.epoch, best.test_metric)
    assert came_to.best_train.train == min(record.train_metric for record in records)
    assert (came_to.diverged, came_to.segments) == (False, None)
    assert rates_of(came_to.code, 5) == pytest.approx([record.lr for record in records], rel=1e-12)


def test_a_run_that_diverged_was_best_before() -> None:
    definition = defined(lr=1e25, seed=1)
    run = definition.start(definition.build_task())
    list(train(run))
    came_to = outcome(definition, run)
    assert came_to.diverged
    assert came_to.best_test.epoch == 0
    assert not math.isfinite(came_to.final.test) or came_to.final.test > came_to.before.test


def test_a_schedule_made_by_hand_is_in_the_code() -> None:
    definition = defined()
    run = definition.start(definition.build_task())
    list(steer(run, epochs=1, lr=0.02))
    assert rates_of(outcome(definition, run).code, 3) == [0.02, 0.02, 0.02]
    list(steer(run, epochs=2, lr=0.003))
    came_to = outcome(definition, run)
    assert came_to.segments == [Segment(1, 1, 0.02), Segment(2, 3, 0.003)]
    assert rates_of(came_to.code, 3) == pytest.approx([0.02, 0.003, 0.003], rel=1e-14)


def test_before_the_first_epoch_there_is_an_outcome_too() -> None:
    definition = defined()
    came_to = outcome(definition, definition.start(definition.build_task()))
    assert (came_to.epochs, came_to.final, came_to.seconds) == (0, came_to.before, 0)
