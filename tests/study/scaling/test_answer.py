"""The fit and its verdicts, on simulated valleys whose optimum is known."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_rungs import RUNGS, TO, Optimum, parabola, power

from lrsearch.report.scale_words import headline
from lrsearch.study.scaling import prior
from lrsearch.study.scaling.answer import COSTLY, SHARE, TypeAnswer, answer
from lrsearch.study.scaling.basins import two_basins
from lrsearch.study.scaling.parabola import Numbers
from lrsearch.study.scaling.prior import Prior
from lrsearch.study.scaling.runs import ScaleRun, rungs_by_type
from lrsearch.study.scaling.scaled import scaled
from lrsearch.study.scaling.valley import Rung


def asked(optimum: Optimum, seed: int = 0, to: float = TO, *, noise: float = 0.03) -> TypeAnswer:
    rng = np.random.default_rng(seed)
    rungs = [parabola(at, optimum(at), rng, noise=noise) for at in RUNGS]
    return answer("constant", rungs, "epochs", to, prior.EPOCHS)


def strayed(optimum: Optimum, by: dict[float, float]) -> Optimum:
    """Optima that are off their line."""
    return lambda at: optimum(at) + by[at]


def test_intervals_hold_the_optimum() -> None:
    """Slopes as the prior has them, optima that stray from their line, seed noise: at least 90 % of 80 tasks."""
    rng = np.random.default_rng(3)
    held, told = 0, 0
    for task in range(80):
        slope = rng.normal(prior.EPOCHS.slope, prior.EPOCHS.spread)
        stray = dict(zip((*RUNGS, TO), rng.normal(0, prior.EPOCHS.scatter, 4), strict=True))
        optimum = power(slope)
        found = asked(strayed(optimum, stray), task)
        if found.prediction is not None:
            low, high = map(math.log, found.prediction.interval)
            told += 1
            held += low <= optimum(TO) + stray[TO] <= high
    assert told >= 50
    assert held / told >= 0.9


@given(slope=st.floats(-1.0, 0.0), rate=st.floats(1e-3, 0.3), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_law_is_found(slope: float, rate: float, seed: int) -> None:
    """Where seeds hardly matter, the prediction is within a factor of two of the law's own rate."""
    optimum = power(slope, rate)
    found = asked(optimum, seed, noise=0.002)
    assert found.verdict != "refuse", found.reason
    assert found.prediction is not None
    assert abs(math.log(found.prediction.lr) - optimum(TO)) < math.log(2)


def test_a_rate_that_stands_still_is_kept() -> None:
    found = asked(power(0.0), noise=0.01)
    assert found.verdict == "keep"
    assert found.prediction is not None
    assert found.prediction.lr == pytest.approx(0.03, rel=0.2)


@pytest.mark.parametrize(("shift", "words"), [(-1.0, "lowest"), (1.0, "highest")])
def test_an_edge_is_refused(shift: float, words: str) -> None:
    """The best rate of the longest rung is the last one that was tried."""
    rng = np.random.default_rng(0)
    rungs = [parabola(at, power(-0.5)(at), rng) for at in RUNGS]
    cut = rungs[-1]
    best = int(np.argmin(cut.means))
    kept = slice(best, None) if shift < 0 else slice(None, best + 1)
    rungs[-1] = Rung(cut.at, cut.rates[kept], cut.values[kept])
    found = answer("constant", rungs, "epochs", TO, prior.EPOCHS)
    assert (found.verdict, found.prediction) == ("refuse", None)
    assert words in found.reason
    assert "add rates" in found.reason


def test_a_rate_beside_divergence_is_no_edge() -> None:
    """Higher rates were tried and diverged: the valley is seen."""
    rng = np.random.default_rng(0)
    rungs = [parabola(at, power(-0.5)(at), rng, noise=0.005) for at in RUNGS]
    for rung in rungs:
        rung.values[int(np.argmin(rung.means)) + 1 :] = np.inf
    assert "highest" not in answer("constant", rungs, "epochs", TO, prior.EPOCHS).reason


def two_valleys(rung: Rung, ridge: float) -> Rung:
    """The same with a ridge in place of its lowest point."""
    places = np.log(rung.rates)
    height: Numbers = 1 + ridge * np.exp(-((places - places[len(places) // 2]) ** 2))
    return Rung(rung.at, rung.rates, rung.values * height[:, None])


def test_two_basins_are_found_and_not_averaged() -> None:
    rng = np.random.default_rng(1)
    rungs = [parabola(at, power(0.0)(at), rng, noise=0.01) for at in RUNGS]
    rungs[-1] = two_valleys(rungs[-1], ridge=1.5)
    assert two_basins(rungs[0]) is None
    found = answer("linear", rungs, "epochs", TO, prior.EPOCHS)
    assert (found.verdict, found.prediction) == ("refuse", None)
    assert "two valleys" in found.reason


def test_noise_alone_makes_no_second_basin() -> None:
    """Flat valleys are full of small dents: at most 3 of 60 are taken for a second valley."""
    rng = np.random.default_rng(2)
    rungs = [parabola(30.0, math.log(0.03), rng, noise=0.1) for _ in range(60)]
    assert sum(two_basins(rung) is not None for rung in rungs) <= 3


def test_a_bend_is_refused() -> None:
    def bent(at: float) -> float:
        return math.log(0.03) - 1.5 * max(math.log(at / 30.0), 0.0)

    found = asked(bent, noise=0.002)
    assert found.verdict == "refuse"
    assert "line" in found.reason
    assert "add a rung" in found.reason


def test_too_noisy_seeds_are_refused() -> None:
    found = asked(power(-0.5), noise=1.0)
    assert found.verdict == "refuse"
    assert "add" in found.reason


def as_uncertain(steep: float, slope: float = -0.9) -> TypeAnswer:
    """Seeds move the best rate as much, whatever the valley."""
    rng = np.random.default_rng(1)
    rungs = [parabola(at, power(slope)(at), rng, noise=1.2 * steep, steep=steep) for at in RUNGS]
    return answer("constant", rungs, "epochs", 2 * TO, prior.EPOCHS)


def test_a_flat_valley_needs_no_narrow_interval() -> None:
    """Of two intervals, the one is refused where a guess in it would cost much."""
    steep, flat = as_uncertain(0.15, -0.1), as_uncertain(0.01, -0.1)
    assert steep.law is not None
    assert flat.law is not None
    spreads = [own.law.spread(2 * TO) / own.law.blur for own in (steep, flat) if own.law is not None]
    assert spreads[0] == pytest.approx(spreads[1], rel=0.2)
    assert steep.law.loss(steep.law.spread(2 * TO)) > COSTLY > flat.law.loss(flat.law.spread(2 * TO))
    assert steep.verdict == "refuse"
    assert flat.verdict != "refuse"
    assert "a guess would cost" in steep.reason
    assert "% on average" in flat.reason


def test_an_uncertain_rate_is_followed_where_keeping_costs_more() -> None:
    """The reason says both costs, and that the rate is uncertain."""
    found = as_uncertain(0.15)
    assert found.costs is not None
    assert COSTLY < found.costs.guess <= SHARE * found.costs.keeping
    assert found.verdict == "follow"
    guess, keeping = r"is uncertain; it may cost (\d+) %", r"keeping the rate of epochs 60 would cost about (\d+) %"
    told = re.search(f"the rate at epochs 480 {guess}, but {keeping}", found.reason)
    assert told is not None
    assert [int(own) for own in told.groups()] == [round(100 * own) for own in found.costs]


@given(slope=st.floats(-1.5, 0.3), steep=st.floats(0.005, 0.4), noise=st.floats(0.001, 0.4), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_nothing_is_answered_that_costs_more_than_is_accepted(
    slope: float, steep: float, noise: float, seed: int
) -> None:
    """A guess may cost 3 %, or a fifth of what the longest rung's rate would: whatever the valleys look like."""
    rng = np.random.default_rng(seed)
    rungs = [parabola(at, power(slope)(at), rng, noise=noise, steep=steep, seeds=7) for at in RUNGS]
    found = answer("constant", rungs, "epochs", TO, prior.EPOCHS)
    if found.costs is None:
        assert found.verdict == "refuse"
        return
    too_much = found.costs.guess > max(COSTLY, SHARE * found.costs.keeping)
    assert found.costs.keeping >= found.costs.guess
    assert not (too_much and found.verdict != "refuse")
    assert too_much or "a guess would cost" not in found.reason


def test_a_line_that_leads_over_a_cliff_is_refused() -> None:
    """Rates rise with the axis, and beyond its best rate the longest rung is ten times as bad."""
    rng = np.random.default_rng(3)
    rungs = [parabola(at, power(0.9)(at), rng, noise=0.003, steep=0.05) for at in RUNGS]
    asked = Prior(0.9, 0.2, 0.05, 0.05)
    assert answer("constant", rungs, "data", TO, asked).verdict == "follow"
    longest = rungs[-1]
    longest.values[longest.rates > 2.2 * math.exp(power(0.9)(RUNGS[-1]))] *= 10
    found = answer("constant", rungs, "data", TO, asked)
    assert found.verdict == "refuse"
    assert "leads up to" in found.reason
    falling = [parabola(at, power(-0.9)(at), rng, noise=0.003, steep=0.05) for at in RUNGS]
    falling[-1].values[falling[-1].rates > 2.2 * math.exp(power(-0.9)(RUNGS[-1]))] *= 10
    assert answer("constant", falling, "epochs", TO, prior.EPOCHS).verdict == "follow"


def test_a_refusal_says_how_many_seeds_would_help() -> None:
    """So many seeds, and the next look does not refuse for want of them."""
    rng = np.random.default_rng(1)
    refused = answer(
        "constant", [parabola(at, power(-0.9)(at), rng, noise=0.3) for at in RUNGS], "epochs", TO, prior.EPOCHS
    )
    (wanted,) = map(int, re.findall(r"about (\d+) seeds instead of 5", refused.reason))
    assert 5 < wanted <= 30
    rungs = [parabola(at, power(-0.9)(at), rng, noise=0.3, seeds=2 * wanted) for at in RUNGS]
    assert answer("constant", rungs, "epochs", TO, prior.EPOCHS).verdict == "follow"


def test_a_target_that_is_far_wants_a_longer_rung() -> None:
    """Where optima stray from lines by more than is allowed, no seeds help."""
    rng = np.random.default_rng(1)
    rungs = [parabola(at, power(-0.9)(at), rng, noise=0.01) for at in RUNGS]
    far = answer("constant", rungs, "epochs", TO, Prior(-0.9, 0.3, 0.05, 0.5))
    assert far.verdict == "refuse"
    assert "add a rung nearer" in far.reason


def test_one_rung_is_too_little() -> None:
    rng = np.random.default_rng(0)
    found = answer("constant", [parabola(30.0, -3.0, rng)], "epochs", TO, prior.EPOCHS)
    assert found.verdict == "refuse"
    assert found.document()["slope"] is None


def test_the_document_recommends_the_better_type() -> None:
    rng = np.random.default_rng(5)
    runs = [
        ScaleRun(at, float(rate), seed, float(value) * worse, kind)
        for kind, worse in (("constant", 2.0), ("linear", 1.0))
        for at in RUNGS
        for rung in [parabola(at, power(-0.4)(at), rng, noise=0.01)]
        for rate, values in zip(rung.rates, rung.values, strict=True)
        for seed, value in enumerate(values)
    ]
    assert list(rungs_by_type(runs)) == ["constant", "linear"]
    found = scaled(runs, "epochs", TO).document()
    assert found["from"] == list(RUNGS)
    assert found["recommended"]["scheduler"] == "linear"
    assert found["cost"] == {"epochs": 9 * 5 * 105 * 2, "full_runs": 9 * 5 * 105 * 2 / TO}
    assert found == scaled(runs, "epochs", TO).document()


def test_a_better_type_that_is_refused_is_named() -> None:
    """The worse of two types is recommended where only its rate is known."""
    rng = np.random.default_rng(5)
    runs = [
        ScaleRun(at, float(rate), seed, float(value) * worse, kind)
        for kind, worse, seeds in (("constant", 2.0, 5), ("linear", 1.0, 3))
        for at in RUNGS
        for rung in [parabola(at, power(-0.4)(at), rng, noise=0.01, seeds=seeds)]
        for rate, values in zip(rung.rates, rung.values, strict=True)
        for seed, value in enumerate(values)
    ]
    found = scaled(runs, "epochs", TO)
    assert found.recommended is not None
    assert found.recommended.scheduler == "constant"
    assert [own.scheduler for own in found.better_but_refused] == ["linear"]
    assert headline(found).endswith("Better on the longest rung, but with a rate that would be a guess: linear.")
    alone = scaled([run for run in runs if run.scheduler == "constant"], "epochs", TO)
    assert headline(alone).endswith(").")
