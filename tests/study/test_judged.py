"""What runs from anywhere show: pairs where seeds are shared, Welch's interval where not, and nothing of one run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lrsearch.study import pair
from lrsearch.study.crossed import around
from lrsearch.study.judged import Judged, Run, judge

VALUES = st.lists(st.floats(-100, 100).map(lambda value: round(value, 3)), min_size=2, max_size=9)
NOISE = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])


def runs(lr: float, values: Sequence[float], first: int = 0, look: int = 0) -> list[Run]:
    return [Run({"lr": lr, "schedule": "cosine"}, seed, value, look) for seed, value in enumerate(values, start=first)]


def judged(*groups: Sequence[Run], maximise: bool = False) -> Judged:
    return judge([run for group in groups for run in group], "runs.csv", "loss", maximise=maximise)


@settings(max_examples=40)
@given(VALUES, VALUES, st.booleans())
def test_the_difference_is_scipys(first: list[float], second: list[float], share: bool) -> None:
    """Student's of the shared seeds, or Welch's of all."""
    fewer = min(len(first), len(second))
    if min(np.ptp(first), np.ptp(second), np.ptp(np.subtract(first[:fewer], second[:fewer]))) < 1e-2:
        return
    expected = (
        stats.ttest_rel(first[:fewer], second[:fewer]) if share else stats.ttest_ind(first, second, equal_var=False)
    )
    found = judged(runs(0.1, first), runs(0.2, second, first=0 if share else 100)).evidence.complete
    one, other = sorted(found, key=lambda contender: float(contender.params["lr"]))
    interval, limits = around(pair.difference(one, other).estimate), expected.confidence_interval()
    assert (interval.low, interval.high) == pytest.approx((limits.low, limits.high))


def test_seeds_that_are_shared_tell_apart_what_others_do_not() -> None:
    shared = judged(runs(0.1, 10 + NOISE), runs(0.2, 10.5 + 1.01 * NOISE))
    apart = judged(runs(0.1, 10 + NOISE), runs(0.2, 10.5 + 1.01 * NOISE, first=100))
    assert [found.verdict for found in shared.comparisons] == ["better"]
    assert [found.verdict for found in apart.comparisons] == ["open"]
    assert [len(found.wanted) for found in (shared, apart)] == [0, 2]


@pytest.mark.parametrize("maximise", [False, True])
def test_what_is_wanted_decides_it(maximise: bool) -> None:
    """Trained on as many further seeds that come out alike, the two are told apart or called equal."""
    first, second = 10 + NOISE, 11.5 + NOISE
    if maximise:
        first, second = -first, -second
    before = judged(runs(0.1, first), runs(0.2, second, first=100), maximise=maximise)
    more = before.wanted[0].seeds
    assert {wanted.seeds for wanted in before.wanted} == {more}
    times = -(-more // len(NOISE)) + 1
    after = judged(runs(0.1, np.tile(first, times)), runs(0.2, np.tile(second, times), first=900), maximise=maximise)
    assert after.wanted == []
    assert after.recommended is not None
    assert after.recommended.params["lr"] == 0.1


def test_one_run_is_never_recommended_over_some_but_is_worth_more() -> None:
    found = judged(runs(0.1, 10 + NOISE), runs(0.3, [1.0]))
    assert found.recommended is not None
    assert found.recommended.params["lr"] == 0.1
    assert [(wanted.params["lr"], wanted.seeds) for wanted in found.wanted] == [(0.3, 4)]


def test_of_single_runs_the_best_is_named_without_an_interval() -> None:
    found = judged(*(runs(lr, [lr]) for lr in (0.4, 0.1, 0.3, 0.2)))
    assert found.recommended is not None
    assert (found.recommended.params["lr"], found.recommended.interval) == (0.1, None)
    assert found.recommended.expected > found.recommended.value
    assert found.comparisons == []
    assert {wanted.seeds for wanted in found.wanted} == {4}


@pytest.mark.parametrize(("second", "used"), [([2.0, 2.0], False), ([2.0, 2.5], True), ([2.0], False)])
def test_a_loop_that_does_not_use_its_seed_gets_no_verdict(second: list[float], used: bool) -> None:
    found = judged(runs(0.1, [1.0, 1.0]), runs(0.2, second))
    assert (found.uses_seeds, found.recommended is not None) == (used, used)


def test_curves_that_differ_show_that_a_seed_is_used() -> None:
    same = [Run({"lr": 0.1}, seed, 1.0, curve=(start, 1.0)) for seed, start in enumerate((3.0, 4.0))]
    assert judge(same, "r", "loss").uses_seeds
    assert not judge([same[0], Run({"lr": 0.1}, 1, 1.0, curve=same[0].curve)], "r", "loss").uses_seeds


def test_a_setting_that_failed_once_is_not_recommended() -> None:
    found = judged(runs(0.1, [1.0, 1.1, float("nan")]), runs(0.2, [2.0, 2.1, 2.2]))
    assert found.recommended is not None
    assert found.recommended.params["lr"] == 0.2


def test_looks_make_intervals_wider_and_take_out_those_who_left() -> None:
    """Without looks the number of seeds counts as settled beforehand."""
    once = judged(runs(0.1, 10 + NOISE), runs(0.2, 12 + 1.5 * NOISE))
    thrice = judged(runs(0.1, 10 + NOISE, look=3), runs(0.2, 12 + 1.5 * NOISE, look=3), runs(0.3, [0.0, 0.1]))
    assert once.recommended is not None
    assert thrice.recommended is not None
    assert thrice.recommended.params["lr"] == 0.1
    first, second = once.comparisons[0].difference, thrice.comparisons[0].difference
    assert second.low < first.low < first.high < second.high
