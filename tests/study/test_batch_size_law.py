"""How the best rate moves with the batch size: found where it is there, and not said where it is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lrsearch.study.batch_size_law import Trained, batch_size_law

SIZES = (12, 25, 50, 100, 200)


def trials(count: int, *, slope: float = 0.68, noise: float = 0.03, depth: float = 0.05, seed: int = 0) -> Trained:
    """Random trials in a valley whose lowest rate is .0038 at 50 and moves by a power law; steeper above than below."""
    rng = np.random.default_rng(seed)
    rates, sizes = 10 ** rng.uniform(-4, -1, count), rng.choice(SIZES, count).astype(float)
    kinds = rng.integers(0, 2, count)
    away = np.log(rates / 0.0038) - slope * np.log(sizes / 50) - 0.5 * kinds
    heights = depth * np.where(away > 0, 2.0, 1.0) * away**2 + 0.05 * np.log(sizes) + noise * rng.standard_normal(count)
    return Trained(rates, sizes, np.exp(heights), [("constant", "linear")[kind] for kind in kinds])


@pytest.mark.parametrize("slope", [0.0, 0.68])
def test_the_movement_is_found_whatever_the_types_own_best_rates(slope: float) -> None:
    found = batch_size_law(trials(150, slope=slope))
    assert found is not None
    assert found.is_known
    assert found.low < slope < found.high
    assert found.high - found.low < 0.5
    best = trials(150, slope=slope).types[int(np.argmin(trials(150, slope=slope).values))]
    assert found.at(50) == pytest.approx(0.0038 * math.exp(0.5 * (best == "linear")), rel=0.3)


def test_it_does_not_depend_on_the_order_or_the_unit_of_the_values() -> None:
    there = trials(150)
    scaled = batch_size_law(Trained(there.rates, there.sizes, 1000 * there.values, there.types))
    found = batch_size_law(there)
    assert found is not None
    assert scaled is not None
    assert scaled.exponent == pytest.approx(found.exponent, abs=1e-6)


@pytest.mark.parametrize(
    "trained",
    [
        trials(150, depth=0.0),  # the rate does not matter
        trials(30, noise=0.5),
        Trained(*(lambda own: (own.rates, own.sizes, -1e300 * own.values, own.types))(trials(60))),  # larger is better
        Trained(*(lambda own: (own.rates * 100, own.sizes, own.values[::-1].copy(), own.types))(trials(60))),
    ],
)
def test_what_the_trials_do_not_carry_is_not_known(trained: Trained) -> None:
    found = batch_size_law(trained)
    assert found is not None
    assert not found.is_known


def test_a_best_rate_where_none_was_tried_is_not_known() -> None:
    there = trials(300)
    kept = there.rates < 0.004
    types = [name for name, keep in zip(there.types, kept, strict=True) if keep]
    found = batch_size_law(Trained(there.rates[kept], there.sizes[kept], there.values[kept], types))
    assert found is not None
    assert not found.is_known


def test_few_trials_or_sizes_have_no_law() -> None:
    there = trials(150)
    two = there.sizes <= 25
    types = [name for name, keep in zip(there.types, two, strict=True) if keep]
    assert batch_size_law(Trained(there.rates[two], there.sizes[two], there.values[two], types)) is None
    assert batch_size_law(trials(19)) is None
