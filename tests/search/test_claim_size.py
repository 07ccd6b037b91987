"""How many trials a worker claims at once: as many as it trains in a moment, however long it waits for the database."""

from __future__ import annotations

import pytest

from lrsearch.search.claim_size import AHEAD, MOST, ClaimSize

MANY = 1_000_000


def after(trials: int, seconds: float, workers: int = 64) -> ClaimSize:
    size = ClaimSize(workers)
    size.spent(seconds / 2)
    size.spent(seconds / 2)
    size.trained(trials)
    return size


def test_the_first_claim_is_of_one_trial() -> None:
    assert ClaimSize(64).wanted(MANY) == 1


@pytest.mark.parametrize(
    ("seconds", "wanted"), [(0.0, MOST), (AHEAD / MOST, MOST), (AHEAD / 3, 3), (AHEAD, 1), (60.0, 1)]
)
def test_trials_are_claimed_for_a_moment(seconds: float, wanted: int) -> None:
    assert after(1, seconds).wanted(MANY) == wanted
    assert after(4, 4 * seconds).wanted(MANY) == wanted


def test_the_last_claim_says_how_long_trials_take() -> None:
    size = after(1, 60.0)
    size.spent(0.0)
    size.trained(1)
    assert size.wanted(MANY) == MOST


def test_all_workers_end_at_the_same_time() -> None:
    size = after(1, 0.0, workers=10)
    assert [size.wanted(left) for left in (1000, 400, 80, 79, 0)] == [MOST, 10, 2, 1, 1]


def test_one_worker_alone_takes_one_trial() -> None:
    assert after(1, 0.0, workers=1).wanted(MANY) == 1
