"""The statistics of a confirmation, against scipy and by simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from lrsearch.study.choosing import chance_of_being_best
from lrsearch.study.comparison import Verdict
from lrsearch.study.contender import Baseline, Contender
from lrsearch.study.crossed import mean_interval
from lrsearch.study.evidence import Evidence
from lrsearch.study.snippet import Steps

Values = NDArray[np.float64]
NOISE = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
WOBBLE = np.array([0.3, -0.2, 0.1, -0.4, 0.2])


def contender(scheduler: str, values: Values, role: str = "search", searched: float | None = None) -> Contender:
    own = {"lambda": {"decay": 0.9}, "one_cycle": {"one_cycle.start": 0.1, "one_cycle.final": 0.1}}
    params = {"lr": 0.01, "scheduler": scheduler, **own.get(scheduler, {})}
    diverged = int(np.isnan(values).sum())
    cells = values[:, None]
    return Contender(params, role, 0, searched, values, values, diverged, 0, Steps(60), cells, len(values))


def evidence(*contenders: Contender) -> Evidence:
    ordered = sorted(contenders, key=lambda one: one.mean if one.is_complete else np.inf)
    return Evidence("holdout", 300, "", list(range(1000, 1000 + len(contenders[0].values))), ordered)


@pytest.mark.parametrize(
    ("draw", "mean", "at_least"),
    [
        (lambda rng: rng.normal(size=(600, 5)), 0.0, 0.93),
        (lambda rng: rng.exponential(size=(600, 5)), 1.0, 0.86),
        (lambda rng: np.where(rng.random((600, 5)) < 0.5, 9.0, 20.0) + rng.normal(size=(600, 5)), 14.5, 0.91),
    ],
    ids=["normal", "skewed", "two valleys"],
)
def test_the_interval_covers_the_mean_with_five_seeds_where_the_bootstrap_does_not(
    draw: Callable[[np.random.Generator], Values], mean: float, at_least: float
) -> None:
    rng = np.random.default_rng(0)
    samples = draw(rng)
    intervals = [mean_interval(sample) for sample in samples]
    ours = np.mean([interval.low <= mean <= interval.high for interval in intervals])
    resampled = samples[:, rng.integers(0, 5, size=(500, 5))].mean(axis=2)
    low, high = np.quantile(resampled, [0.025, 0.975], axis=1)
    assert ours > at_least
    assert ours > np.mean((low <= mean) & (mean <= high))


@settings(max_examples=25)
@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=20), st.floats(0.5, 0.99))
def test_a_paired_difference_is_scipys(values: list[float], confidence: float) -> None:
    first = np.array(values)
    second = first[::-1] * 0.5 + np.arange(len(values))
    if np.ptp(first - second) < 1e-6:
        return
    expected = stats.ttest_rel(first, second).confidence_interval(confidence)
    assert mean_interval(first - second, confidence).low == pytest.approx(expected.low)
    assert mean_interval(first - second, confidence).high == pytest.approx(expected.high)


def test_equal_values_have_an_interval_without_width() -> None:
    assert mean_interval(np.full(5, 3.0)) == mean_interval(np.full(2, 3.0))
    assert (mean_interval(np.full(5, 3.0)).low, mean_interval(np.full(5, 3.0)).high) == (3.0, 3.0)


def test_pairing_tells_apart_what_single_intervals_do_not() -> None:
    """The seeds' luck is common to both, and goes away in the difference."""
    found = evidence(contender("lambda", 10 + NOISE), contender("constant", 11 + NOISE + 0.1 * WOBBLE))
    assert found.tied == []
    assert found.recommended is found.leader
    assert found.difference(found.contenders[1], found.leader).excludes_zero


def test_among_those_within_the_margin_the_simplest_is_recommended() -> None:
    found = evidence(
        contender("one_cycle", 10 + NOISE),
        contender("lambda", 10.01 + NOISE + WOBBLE),
        contender("constant", 10.02 + NOISE - WOBBLE),
    )
    assert [one.params["scheduler"] for one in found.tied] == ["lambda", "constant"]
    assert found.recommended.is_constant
    assert found.leader.params["scheduler"] == "one_cycle"


def test_what_is_worse_by_more_than_the_margin_is_not_recommended_for_being_simple() -> None:
    groups = contender("one_cycle", 10 + NOISE), contender("constant", 10.3 + NOISE + 3 * WOBBLE)
    found = evidence(*groups)
    assert [one.is_constant for one in found.tied] == [True]
    assert found.recommended is found.leader
    assert replace(found, margin=0.5).recommended.is_constant, "a person may say what does not matter"


@pytest.mark.parametrize(
    ("by", "wobble", "margin", "wanted"),
    [
        (3.0, 0.1, None, Verdict.BETTER),
        (0.5, 3.0, None, Verdict.OPEN),
        (0.2, 0.5, 2.0, Verdict.EQUAL),
    ],
)
def test_a_comparison_ends_in_one_of_these(by: float, wobble: float, margin: float | None, wanted: Verdict) -> None:
    found = evidence(contender("one_cycle", 10 + NOISE), contender("constant", 10 + by + NOISE + wobble * WOBBLE * 4))
    compared = replace(found, margin=margin).comparisons
    assert [one.verdict for one in compared] == [wanted]
    assert (compared[0].needed is None) == (wanted is not Verdict.OPEN)


def of_rows(scheduler: str, cells: Values) -> Contender:
    params = {"lr": 0.01, "scheduler": scheduler}
    values = cells.mean(axis=1)
    return Contender(params, "search", 0, None, values, values, 0, 0, Steps(60), cells, len(cells))


def test_where_rows_differ_more_than_seeds_more_rows_are_asked_for() -> None:
    """Every seed says the same, and few rows make the difference: more seeds would change nothing."""
    rng = np.random.default_rng(0)
    rows = rng.normal(0.05, 1.0, size=40)
    base = 5 + rng.normal(0, 0.01, size=(6, 40))
    found = evidence(of_rows("one_cycle", base), of_rows("constant", base + rows + rng.normal(0, 0.01, size=(6, 40))))
    constant = next(one for one in found.contenders if one.is_constant)
    compared = replace(found, row_count=40).compared(constant) if not found.recommended.is_constant else None
    compared = compared or replace(found, row_count=40).comparisons[0]
    assert compared.verdict is Verdict.ROWS
    assert compared.needed is not None
    assert compared.needed > 40
    assert found.is_answered
    assert found.covers == "seeds and rows"


def test_what_has_learned_nothing_is_told() -> None:
    rng = np.random.default_rng(0)
    cells = 1 + rng.normal(0, 0.3, size=(8, 60))
    found = evidence(of_rows("one_cycle", cells), of_rows("constant", cells + 0.01 * rng.normal(size=(8, 60))))
    assert found.learned is None, "nobody knows what no learning gives"
    prior = Baseline("the class shares", 1 + rng.normal(0, 0.3, size=(1, 60)))
    bad = Baseline("the network before training", cells + 3)
    assert replace(found, prediction=prior, untrained=bad).learned is False
    assert replace(found, prediction=bad, untrained=bad).learned is True
    nothing = replace(found, prediction=prior, untrained=bad).nothing
    assert nothing is prior


def test_a_schedule_that_is_expected_to_be_no_better_gives_way_to_the_constant_rate() -> None:
    """Its mean is the lowest, but it was picked for that; and it is not told apart from the constant rate."""
    rng = np.random.default_rng(3)
    scattered, steady = rng.normal(13, 4, size=(4, 6)), rng.normal(12.3, 1, size=6)
    found = evidence(*(contender("one_cycle", values) for values in scattered), contender("constant", steady))
    assert not found.leader.is_constant
    assert found.recommended.is_constant
    assert found.expected.mean == pytest.approx(found.recommended.mean, rel=0.02)


def test_what_is_larger_may_be_better() -> None:
    """The same numbers with the other sign give the same answer, with the other sign."""
    groups = [contender("lambda", 10 + NOISE), contender("constant", 11 + NOISE + WOBBLE)]
    small = evidence(*groups)
    turned = [contender(str(one.params["scheduler"]), -one.values) for one in groups]
    large = Evidence("holdout", 300, "", small.seeds, turned, maximise=True)
    assert large.recommended.params == small.recommended.params
    assert large.expected.mean == pytest.approx(-small.expected.mean)
    assert large.chances == pytest.approx(small.chances)
    assert large.difference(turned[1], turned[0]).low == pytest.approx(small.difference(groups[1], groups[0]).low)
    assert large.seeds_better(turned[0], turned[1]) == small.seeds_better(groups[0], groups[1]) == 5


def test_the_mean_of_an_accuracy_is_not_said_to_reach_above_one() -> None:
    values = np.array([0.9, 0.99, 0.98, 0.99, 0.97])
    ours = replace(evidence(contender("constant", values), contender("lambda", values - 0.05)), maximise=True)
    assert mean_interval(values).high > 1
    assert ours.interval(ours.contenders[-1]).high == 1
    score = replace(evidence(contender("constant", 100 * values), contender("lambda", values)), maximise=True)
    assert score.interval(score.contenders[-1]).high == pytest.approx(100 * mean_interval(values).high)


def test_more_finalists_need_more_proof() -> None:
    """The best of many is compared with each of the others, so that each interval is wider."""
    pair = [contender("lambda", 10 + NOISE), contender("constant", 10.5 + NOISE + WOBBLE)]
    two, five = evidence(*pair), evidence(*pair, *(contender("cosine", 30 + NOISE) for _ in range(3)))
    narrow, wide = (one.difference(one.contenders[1], one.leader) for one in (two, five))
    assert wide.low < narrow.low < narrow.mean == wide.mean < narrow.high < wide.high


def test_what_diverged_on_a_seed_comes_last_and_is_not_compared() -> None:
    lost = contender("lambda", np.array([1.0, np.nan, 1.0, 1.0, 1.0]))
    found = evidence(lost, contender("constant", 10 + NOISE))
    assert found.contenders[-1] is lost
    assert found.complete == [found.leader]
    assert found.recommended.is_constant


@settings(max_examples=20)
@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=5))
def test_the_chances_of_being_best_are_shares_of_one(values: list[list[int]]) -> None:
    chances = chance_of_being_best(np.array(values, dtype=float))
    assert sum(chances) == pytest.approx(1.0)
    assert chances == chance_of_being_best(np.array(values, dtype=float))


def test_who_is_best_on_every_seed_is_best_for_sure() -> None:
    assert chance_of_being_best(np.stack([10 + NOISE, 9 + NOISE, 9.5 + NOISE])) == [0.0, 1.0, 0.0]
    assert chance_of_being_best(np.stack([NOISE, NOISE])) == [0.5, 0.5]


def test_the_promise_is_that_of_the_searchs_best() -> None:
    found = evidence(
        contender("lambda", 12 + NOISE, searched=7.0),
        contender("cosine", 11 + NOISE, searched=8.0),
        contender("constant", 10 + NOISE, "constant", searched=6.0),
    )
    assert found.promised is not None
    assert (found.promised.searched, found.promised.mean) == (7.0, 12.0)
