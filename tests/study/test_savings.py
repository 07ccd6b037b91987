"""What pruning saved is what training all trials to their end would have taken beyond what was taken."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import create_trial

from lrsearch.pruning.lane_cost import ONE_BY_ONE, LaneCost
from lrsearch.storage.attributes import AUDIT_SECONDS, SECONDS
from lrsearch.study.savings import Length, share_of_seconds, spent


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


def test_a_night_between_two_trials_is_no_training() -> None:
    """What contestants may take is a share of this, and a person may have stopped her run for a night."""
    trials = [create_trial(value=1.0, user_attrs={SECONDS: 2.0, AUDIT_SECONDS: 0.5}), create_trial(value=2.0)]
    assert trials[1].datetime_start is not None
    trials[1].datetime_start += timedelta(hours=9)
    trials[1].datetime_complete = trials[1].datetime_start
    assert spent(trials) == 2.5
