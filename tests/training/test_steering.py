"""Rounds at rates that a person chooses, and the schedule that they add up to."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.study_file.model import TrainingSection
from lrsearch.training import steering
from lrsearch.training.loop import start, train
from lrsearch.training.run import Run
from lrsearch.training.steering import Segment, steer

TASK = registry.tasks.get("polynomial").build({"rows": 60, "holdout_rows": 0})


def begun(scheduler: str = "constant", lr: float = 0.05, **settings: Any) -> Run:
    training = TrainingSection(**{"epochs": 4, "batch_size": 14, **settings})
    return start(TASK, registry.schedules.get(scheduler)(), lr, training, 24)


def test_state_is_kept_between_rounds() -> None:
    """Two rounds at one rate are one run of both lengths, momentum and all."""
    whole, run = begun(epochs=9, momentum=0.9), begun(momentum=0.9)
    expected = [record.test_metric for record in train(whole)]
    rounds = [*steer(run, epochs=4), *steer(run, epochs=5, lr=0.05)]
    assert [record.test_metric for record in rounds] == expected
    assert [record.epoch for record in run.records] == list(range(1, 10))


def test_a_round_has_its_rate_and_the_next_one_keeps_it() -> None:
    run = begun()
    for lr, epochs in ((0.02, 1), (None, 2), (0.001, 1)):
        list(steer(run, epochs=epochs, lr=lr))
    assert [record.lr for record in run.records] == [0.02, 0.02, 0.02, 0.001]


def test_segments_join_rounds_of_one_rate() -> None:
    assert steering.segments([]) == []
    assert steering.segments([0.1, 0.1, 0.01, 0.1]) == [Segment(1, 2, 0.1), Segment(3, 3, 0.01), Segment(4, 4, 0.1)]


@pytest.mark.parametrize("rates", [[0.05], [0.05, 0.05, 0.01, 0.003], [0.1, 0.3, 0.1, 0.1, 0.7], [1e-3, 1e-3, 1e-9]])
def test_the_code_to_paste_gives_the_rates_that_were_used(rates: list[float]) -> None:
    scope: dict[str, Any] = {"model": torch.nn.Linear(1, 1)}
    exec(steering.code(TrainingSection(momentum=0.9), steering.segments(rates)), scope)
    given = []
    for _ in [*rates, "and beyond the end"]:
        given.append(scope["optimizer"].param_groups[0]["lr"])
        scope["optimizer"].step()
        scope["scheduler"].step()
    assert given == pytest.approx([*rates, rates[-1]], rel=1e-14)
    assert scope["optimizer"].defaults["momentum"] == 0.9


@pytest.mark.parametrize("wrong", [{"lr": 0.0}, {"lr": float("nan")}, {"epochs": 0}, {"epochs": 2.5}, {"lr": -1}])
def test_a_wrong_number_changes_nothing(wrong: dict[str, Any]) -> None:
    run = begun()
    with pytest.raises(InputError):
        steer(run, **{"epochs": 1, "lr": 0.01, **wrong})
    assert (run.lr, run.epoch) == (0.05, 0)


def test_both_wrong_numbers_are_named() -> None:
    with pytest.raises(InputError, match=r"epochs = 0: must be a whole number[^$]*lr = 0: must be a finite"):
        steer(begun(), epochs=0, lr=0)


def test_only_a_hand_moves_the_rate_and_only_while_there_is_something_to_steer() -> None:
    with pytest.raises(InputError, match="constant schedule"):
        steer(begun("lambda"), epochs=1)
    run = begun(lr=1e20)
    list(steer(run, epochs=50))
    with pytest.raises(InputError, match="diverged in epoch"):
        steer(run, epochs=1, lr=0.01)
