"""The lowest points of rungs that share a curvature, and how far seeds move them together."""

from __future__ import annotations

import numpy as np
import pytest

from lrsearch.study.scaling.parabola import Numbers, bowls
from lrsearch.study.scaling.valley import Rung, covariance, valleys, wins

RATES: Numbers = np.array([0.004 * 2.0**step for step in range(8)])
OPTIMA = (np.log(0.04), np.log(0.02))


def test_lowest_points_are_found_on_ladders_of_any_length() -> None:
    ladders = [RATES, RATES[:6]]
    heights = [
        0.1 * (np.log(own) - best)[None] ** 2 + at for at, own, best in zip((1, 2), ladders, OPTIMA, strict=True)
    ]
    assert bowls(ladders, heights).places[:, 0] == pytest.approx(OPTIMA, abs=1e-6)


def test_a_rung_borrows_the_curvature_that_it_cannot_show() -> None:
    """Two rates near the lowest point fix no parabola of their own."""
    few = np.array([0.011, 0.03, 0.4])
    heights = [0.1 * (np.log(own) - best)[None] ** 2 for own, best in zip((RATES, few), OPTIMA, strict=True)]
    assert bowls([RATES, few], heights).places[1, 0] == pytest.approx(OPTIMA[1], abs=1e-3)


def test_where_nothing_bends_upwards_the_best_rate_is_the_answer() -> None:
    heights = np.log(RATES)[None]
    assert bowls([RATES], [-(heights**2)]).places[0, 0] == pytest.approx(np.log(RATES[0]))


def test_what_a_seed_does_to_all_rungs_is_known_to_be_common() -> None:
    """Seeds that move every rung's optimum by the same amount correlate the rungs."""
    moved = np.random.default_rng(0).normal(0, 0.3, 6)
    rungs = [
        Rung(at, RATES, 1 + 0.1 * (np.log(RATES)[:, None] - best - moved) ** 2)
        for at, best in zip((15.0, 30.0), OPTIMA, strict=True)
    ]
    found = covariance(valleys(rungs))
    assert found[0, 1] / np.sqrt(found[0, 0] * found[1, 1]) > 0.8
    assert found[0, 0] == pytest.approx(np.var(moved, ddof=1) / 6, rel=0.3)


def test_wins_are_shares_of_resamples() -> None:
    values = np.ones((8, 4))
    values[3] = 0.5
    assert wins(Rung(30.0, RATES, values)).tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
