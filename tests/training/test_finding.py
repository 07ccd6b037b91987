"""What curves of known shape lead to, and what is said where they lead to nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from lrsearch.training.finding import Finding
from lrsearch.training.range_test import SeedLosses, analyse, grid

UPDATES = 400


def valley(rate: float) -> float:
    """From 10 down to 2 between 1e-3 and 1e-1 in the logarithm, up again from 1 on."""
    place = math.log10(rate)
    fallen = 10 - 8 * min(max((place + 3) / 2, 0.0), 1.0)
    return fallen + 20 * max(place, 0.0)


def found(
    curve: Callable[[float], float], low: float = 1e-6, high: float = 10.0, noise: float = 0.05, seeds: int = 5
) -> Finding:
    random = np.random.default_rng(3)
    rates = grid(low, high, UPDATES)
    made = []
    for seed in range(seeds):
        losses = [curve(rates[0]), *(curve(rate) for rate in rates)]
        made.append(SeedLosses(seed, tuple(np.array(losses) + noise * random.normal(size=UPDATES + 1)), None))
    return analyse(made, low, high, UPDATES).finding


@pytest.mark.parametrize("seeds", [1, 5])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_valley_gives_its_fall_and_its_rise(noise: float, seeds: int) -> None:
    finding = found(valley, noise=noise, seeds=seeds)
    assert finding.low is not None
    assert finding.high is not None
    assert finding.lr is not None
    assert finding.low == pytest.approx(10 ** (-2.8 + 0.15) / 3, rel=0.5)  # a tenth of the fall, and the average lags
    assert finding.high == pytest.approx(10 ** (0.04 + 0.15), rel=0.5)
    assert 1e-3 < finding.lr < 0.2
    assert "begins to fall at" in finding.why_low
    assert "begins to rise at" in finding.why_high


def test_numbers_have_two_significant_digits() -> None:
    finding = found(valley)
    assert [float(f"{value:.1e}") for value in (finding.low, finding.high, finding.lr)] == [
        finding.low, finding.high, finding.lr,
    ]  # fmt: skip


@pytest.mark.parametrize("seed_noise", [0.1, 1.0, 3.0])
def test_a_flat_curve_gives_nothing(seed_noise: float) -> None:
    finding = found(lambda _: 10.0, noise=seed_noise)
    assert (finding.range, finding.low, finding.high, finding.lr) == (None, None, None, None)
    assert "does not change" in finding.why_low
    assert "--high" in finding.why_high


def test_chance_is_hardly_ever_taken_for_a_fall() -> None:
    """The lowest of hundreds of noisy values is always below the first."""
    random = np.random.default_rng(1)
    ranges = []
    for _ in range(100):
        seeds = [SeedLosses(n, tuple(10 + 3 * random.normal(size=UPDATES + 1)), None) for n in range(5)]
        ranges.append(analyse(seeds, 1e-6, 10.0, UPDATES).finding.range)
    assert ranges.count(None) >= 98


def test_a_loss_that_only_rises_gives_nothing() -> None:
    finding = found(lambda rate: 10 + 5 * max(math.log10(rate) + 2, 0.0))
    assert finding.range is None
    assert "never falls" in finding.why_high
    assert "--low" in finding.why_low


def test_a_ramp_that_ends_too_early_says_to_go_higher() -> None:
    finding = found(valley, high=0.03)
    assert (finding.range, finding.high) == (None, None)
    assert finding.low is not None
    assert "--high" in finding.why_high


def test_a_ramp_that_begins_too_late_says_to_begin_lower() -> None:
    finding = found(valley, low=0.03)
    assert (finding.range, finding.low) == (None, None)
    assert finding.high == pytest.approx(1.1, rel=0.3)
    assert "--low" in finding.why_low


def test_where_half_of_the_seeds_diverge_the_range_ends() -> None:
    """Some tasks explode without any rise before."""
    rates = grid(1e-6, 10.0, UPDATES)
    losses = [valley(rates[0]), *(valley(rate) for rate in rates)]
    seeds = [SeedLosses(n, tuple(losses[:331]), float(rates[330])) for n in range(3)]
    finding = analyse([*seeds, SeedLosses(3, tuple(losses), None)], 1e-6, 10.0, UPDATES).finding
    assert finding.high == float(f"{rates[330]:.1e}")
    assert "half of the seeds" in finding.why_high
    assert finding.diverged == f"3 of 4 seeds diverged, at {rates[330]:.2g}"


def test_seeds_that_are_lost_at_once_are_an_answer_too() -> None:
    finding = analyse([SeedLosses(n, (), 1.0) for n in range(3)], 1.0, 100.0, UPDATES).finding
    assert finding.range is None
    assert "rises from 1 on" in finding.why_high
    assert finding.diverged == "3 of 3 seeds diverged, at 1"
