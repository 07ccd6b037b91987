"""Smoothing, slopes and divergence against slow, obvious references."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrsearch.training.range_test import SeedLosses, Watch, analyse, grid, slopes, smooth

LOSSES = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=40)


@given(LOSSES, st.floats(0.0, 0.99))
def test_smoothing_is_a_weighted_mean_of_all_losses_so_far(losses: list[float], keep: float) -> None:
    expected = [
        np.average(losses[: i + 1], weights=[keep ** (i - j) if keep or i == j else 0.0 for j in range(i + 1)])
        for i in range(len(losses))
    ]
    assert smooth(losses, keep) == pytest.approx(expected, rel=1e-6, abs=1e-6 * max(map(abs, losses)))


@given(LOSSES, st.floats(0.01, 2.0), st.integers(1, 6))
def test_slopes_are_those_of_fitted_lines(values: list[float], step: float, reach: int) -> None:
    found = slopes(np.array(values), step, reach)
    for i in range(len(values)):
        places = [j for j in range(len(values)) if abs(j - i) <= reach]
        line = np.polyfit([j * step for j in places], [values[j] for j in places], 1)[0] if len(places) > 1 else 0.0
        assert found[i] == pytest.approx(line, rel=1e-6, abs=1e-6 * (1 + max(map(abs, values))) / step)


def test_the_slope_is_taken_against_the_logarithm() -> None:
    rates = grid(1e-4, 1.0, 81)
    assert slopes(5 - 3 * np.log10(rates), 4 / 80, 5) == pytest.approx(np.full(81, -3.0))


def test_the_grid_has_equal_ratios_and_both_ends() -> None:
    rates = grid(1e-6, 10.0, 400)
    assert (rates[0], rates[-1]) == pytest.approx((1e-6, 10.0), rel=1e-12)
    assert rates[1:] / rates[:-1] == pytest.approx(np.full(399, 10 ** (7 / 399)))


def watched(losses: list[float], updates: int = 100) -> SeedLosses:
    watch = Watch(grid(1.0, 1e3, updates), seed=7)
    for count, loss in enumerate(losses):
        if not watch.take(loss):
            assert watch.losses().diverged_at is not None or count == updates
            break
    return watch.losses()


def test_the_watch_ends_one_loss_after_the_last_update() -> None:
    assert watched([1.0] * 500) == SeedLosses(7, (1.0,) * 101, None)


@pytest.mark.parametrize("lost", [math.nan, math.inf, 1e30, 400.0])
def test_divergence_is_noted_at_the_rate_that_led_to_it_and_its_loss_is_dropped(lost: float) -> None:
    seen = watched([10.0] * 31 + [lost, 10.0])
    assert seen.losses == (10.0,) * 31
    assert seen.diverged_at == pytest.approx(10 ** (3 * 30 / 99))


def test_a_network_that_is_lost_from_the_start_has_no_losses() -> None:
    assert watched([math.nan]) == SeedLosses(7, (), 1.0)


def test_four_times_nearly_nothing_is_no_divergence() -> None:
    """A task learned almost completely may get worse by far without having diverged."""
    learned = [10.0] * 10 + [0.001] * 70 + [1.0] * 21
    assert watched(learned).diverged_at is None


@given(st.lists(st.floats(-5.0, -4.0), min_size=101, max_size=101))
def test_losses_below_zero_do_not_diverge_by_their_sign(losses: list[float]) -> None:
    assert watched(losses).diverged_at is None


def test_the_centre_is_the_median_in_which_diverged_seeds_count_as_worst() -> None:
    """The survivors alone would look better than most seeds are."""
    level = [SeedLosses(n, (float(n),) * 101, None) for n in (1, 2)]
    lost = [SeedLosses(n, (0.5,) * 41, 0.1) for n in (3, 4, 5)]
    test = analyse([*level, *lost], 1e-3, 10.0, 100)
    assert test.centre[:40] == pytest.approx(np.full(40, 0.5))
    assert np.isnan(test.centre[40:]).all()
    assert test.smoothed[:2] == pytest.approx(np.array([[1.0] * 100, [2.0] * 100]))
    assert np.isnan(test.smoothed[2:, 40:]).all()


def test_each_loss_belongs_to_the_update_before_it() -> None:
    losses = tuple(float(n) for n in range(101))
    test = analyse([SeedLosses(0, losses, None)], 1e-3, 10.0, 100)
    keep = 1 / 2  # it looks back over a fortieth of the ramp, here two updates
    expected = [
        np.average(losses[: place + 1], weights=[keep ** (place - back) for back in range(place + 1)])
        for place in range(1, 101)
    ]
    assert test.smoothed[0] == pytest.approx(expected)
