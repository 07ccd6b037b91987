"""The line through the rungs' best rates, and what is not known about it."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_rungs import RUNGS, TO, parabola, power

from lrsearch.study.scaling import prior
from lrsearch.study.scaling.law import fit
from lrsearch.study.scaling.prior import Prior
from lrsearch.study.scaling.valley import Rung, valleys


def test_seeds_that_differ_hide_where_the_valley_is() -> None:
    """Standard deviations grow with them, and the more seeds there are, the less is hidden."""

    def blur(noise: float, seeds: int) -> float:
        rng = np.random.default_rng(7)
        return fit(
            valleys([parabola(at, power(-1.0)(at), rng, noise=noise, seeds=seeds) for at in RUNGS]), TO, prior.EPOCHS
        ).blur

    assert blur(0.003, 7) == pytest.approx(1, abs=0.001)
    assert blur(0.3, 7) > blur(0.3, 28) > blur(0.03, 7) > 1


def test_seeds_that_rates_do_not_share_hide_nothing_that_is_known() -> None:
    """Runs that exist may have other seeds at each rate."""
    rng = np.random.default_rng(7)
    rungs = [parabola(at, power(-1.0)(at), rng) for at in RUNGS]
    apart = [Rung(own.at, own.rates, np.full((9, 45), np.nan)) for own in rungs]
    for own, rung in zip(apart, rungs, strict=True):
        for rate, values in enumerate(rung.values):
            own.values[rate, 5 * rate : 5 * rate + 5] = values
    assert fit(valleys(apart), TO, prior.EPOCHS).blur == 1


def test_the_slope_is_shrunk_towards_the_prior() -> None:
    """The surer the prior, the nearer its slope; a prior that knows nothing is least squares."""
    rng = np.random.default_rng(4)
    found = valleys([parabola(at, power(-1.0)(at), rng) for at in RUNGS])
    slopes = [fit(found, TO, Prior(-0.9, spread, 0.05, 0.0)).slope for spread in (0.01, 0.3, 100.0)]
    assert slopes[0] == pytest.approx(-0.9, abs=0.02)
    assert abs(slopes[0] - slopes[2]) > abs(slopes[1] - slopes[2]) > 0
    assert slopes[2] == pytest.approx(-1.0, abs=0.2)


def test_a_task_of_another_kind_is_not_shrunk() -> None:
    """Where the rungs contradict a prior that claims to be sure, it gives way."""
    rng = np.random.default_rng(4)
    found = valleys([parabola(at, power(0.0)(at), rng, noise=0.01) for at in RUNGS])
    law = fit(found, TO, Prior(-1.5, 0.1, 0.05, 0.0))
    assert law.slope == pytest.approx(law.unshrunk, abs=0.1)


def test_intervals_widen_with_the_target() -> None:
    rng = np.random.default_rng(0)
    found = valleys([parabola(at, power(-0.5)(at), rng) for at in RUNGS])
    near, far = (fit(found, to, prior.EPOCHS) for to in (120.0, 480.0))
    assert far.spread(480.0) > near.spread(120.0)
