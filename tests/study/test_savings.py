"""What pruning saved is what training all trials to their end would have taken beyond what was taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState, create_trial

from lrsearch.pruning.lane_cost import ONE_BY_ONE, LaneCost
from lrsearch.storage.attributes import AUDIT_SECONDS, ENGINE, LANE_COST, PLACE, SECONDS
from lrsearch.storage.rdb import open_storage
from lrsearch.study import stored as studies
from lrsearch.study.savings import Length, savings, share_of_seconds, spent
from lrsearch.study_file.model import Definition


def lengths(trained: list[int], whole: int = 10, seeds: int = 1) -> list[Length]:
    return [
        Length(number, own, whole, range(number * seeds, (number + 1) * seeds)) for number, own in enumerate(trained)
    ]


def test_one_by_one_seconds_are_epochs() -> None:
    assert share_of_seconds(lengths([10, 5, 5, 2]), ONE_BY_ONE, 1) == 22 / 40
    assert share_of_seconds([], ONE_BY_ONE, 1) == 1.0


def test_a_batch_saves_only_where_a_block_is_empty() -> None:
    cost = LaneCost(block=4, fixed=1.0)
    assert share_of_seconds(lengths([5] * 4 + [10] * 4), cost, 8) == (5 * 3 + 5 * 2) / (10 * 3)
    assert share_of_seconds(lengths([5, 10] * 4), cost, 8) == 1.0, "four in two classes are as long as eight"
    assert share_of_seconds(lengths([5] * 4 + [10] * 4), cost, 4) == (5 + 10) * 2 / (2 * 10 * 2), "two generations"


@given(
    st.lists(st.integers(1, 10), min_size=1, max_size=20),
    st.integers(1, 3),
    st.integers(1, 8),
    st.sampled_from([1, 4, 8]),
    st.floats(0, 5),
)
def test_epoch_by_epoch(trained: list[int], seeds: int, generation: int, block: int, fixed: float) -> None:
    """Against a walk through the epochs of every generation."""
    cost, there = LaneCost(block, fixed), lengths(trained, seeds=seeds)

    def seconds(epochs: list[int]) -> float:
        total = 0.0
        for first in range(0, len(there), generation):
            for epoch in range(1, 11):
                group = zip(there[first : first + generation], epochs[first : first + generation], strict=True)
                total += cost.seconds(cost.lanes(p for own, last in group if last >= epoch for p in own.places))
        return total

    assert abs(share_of_seconds(there, cost, generation) - seconds(trained) / seconds([10] * len(there))) < 1e-9


@pytest.mark.parametrize(
    ("engine", "share"), [("batched", 25 / 30), ("compiled", 25 / 30), ("parallel", 60 / 80), ("sequential", 60 / 80)]
)
def test_lanes_are_counted_by_blocks_where_they_take_one_pass(
    engine: str, share: float, define: Callable[..., Definition]
) -> None:
    """Eight trials, four of which end after half of ten epochs; all of them were trained for 8 seconds."""
    stored = studies.create(open_storage("sqlite://"), define(training={"epochs": 10}), "mse")
    stored.remember(LANE_COST, LaneCost(block=4, fixed=1.0).table())
    for number in range(8):
        state, last = (TrialState.PRUNED, 5) if number < 4 else (TrialState.COMPLETE, 10)
        curve = dict.fromkeys(range(1, last + 1), 1.0)
        told = {ENGINE: engine, SECONDS: 1.0, PLACE: number}
        stored.study.add_trial(create_trial(state=state, value=1.0, intermediate_values=curve, user_attrs=told))
    found = savings(stored, stored.trials())
    assert found is not None
    assert (found.trials, found.epochs_saved, found.epochs_unpruned) == (4, 20, 80)
    assert found.seconds_unpruned == pytest.approx(8 / share)
    assert found.seconds_saved == pytest.approx(8 / share - 8)


def test_a_night_between_two_trials_is_no_training() -> None:
    """What contestants may take is a share of this, and a person may have stopped her run for a night."""
    trials = [create_trial(value=1.0, user_attrs={SECONDS: 2.0, AUDIT_SECONDS: 0.5}), create_trial(value=2.0)]
    assert trials[1].datetime_start is not None
    trials[1].datetime_start += timedelta(hours=9)
    trials[1].datetime_complete = trials[1].datetime_start
    assert spent(trials) == 2.5
