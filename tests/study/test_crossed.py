"""The mean over seeds and rows: against loops, against Student's, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

from lrsearch.study.crossed import estimate, interval, interval_below_one

Values = NDArray[np.float64]
TABLES = arrays(np.float64, st.tuples(st.integers(2, 6), st.integers(2, 7)), elements=st.integers(-9, 9).map(float))


def drawn(rng: np.random.Generator, seeds: int, blocks: int, spreads: tuple[float, float, float]) -> Values:
    """Cells around 10 with normal effects of seeds, of blocks and of both."""
    of_seeds, of_blocks, of_both = spreads
    cells = of_seeds * rng.normal(size=(seeds, 1)) + of_blocks * rng.normal(size=(1, blocks))
    return np.asarray(10 + cells + of_both * rng.normal(size=(seeds, blocks)))


def slow_squares(cells: Values) -> tuple[float, float, float]:
    """The three mean squares, cell by cell."""
    seeds, blocks = cells.shape
    mean = sum(cells[s, b] for s in range(seeds) for b in range(blocks)) / (seeds * blocks)
    of_seed = [sum(cells[s, b] for b in range(blocks)) / blocks for s in range(seeds)]
    of_block = [sum(cells[s, b] for s in range(seeds)) / seeds for b in range(blocks)]
    first = second = rest = 0.0
    for s in range(seeds):
        for b in range(blocks):
            first += (of_seed[s] - mean) ** 2 / (seeds - 1)
            second += (of_block[b] - mean) ** 2 / (blocks - 1)
            rest += (cells[s, b] - of_seed[s] - of_block[b] + mean) ** 2 / ((seeds - 1) * (blocks - 1))
    return first, second, rest


@given(TABLES)
def test_the_error_is_that_of_the_variance_components(cells: Values) -> None:
    """And never less than that of the seeds alone."""
    first, second, rest = slow_squares(cells)
    found = estimate(cells)
    assert found.error**2 * cells.size == pytest.approx(first + max(second - rest, 0.0), abs=1e-9)
    assert found.rows_error**2 * cells.size == pytest.approx(max(second - rest, 0.0), abs=1e-9)
    assert found.error >= stats.sem(cells.mean(axis=1)) - 1e-9
    assert found.freedom > 0


def test_the_variance_of_the_mean_is_that_of_many_tables() -> None:
    rng = np.random.default_rng(0)
    tables = [drawn(rng, 6, 20, (1.0, 2.0, 3.0)) for _ in range(2000)]
    variances = [estimate(cells).error ** 2 for cells in tables]
    assert np.mean(variances) == pytest.approx(np.var([cells.mean() for cells in tables]), rel=0.1)
    assert np.mean(variances) == pytest.approx(1 / 6 + 4 / 20 + 9 / 120, rel=0.1)


@settings(max_examples=25)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20), st.floats(0.5, 0.99))
def test_a_single_block_gives_students_interval_over_the_seeds(values: list[float], confidence: float) -> None:
    cells = np.array(values)[:, None]
    found = interval(cells, confidence)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.error == pytest.approx(np.std(values, ddof=1) / np.sqrt(len(values)))
    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * found.error
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half))


def test_seeds_that_agree_on_every_row_leave_the_rows_uncertainty() -> None:
    rows = np.random.default_rng(0).normal(size=50)
    found = estimate(np.tile(rows, (5, 1)))
    assert found.error == pytest.approx(stats.sem(rows))
    assert 40 < found.freedom < 50


def test_equal_cells_have_an_interval_without_width() -> None:
    found = interval(np.full((3, 4), 2.0), positive=True)
    assert (found.low, found.mean, found.high) == (2.0, 2.0, 2.0)


def test_a_heavy_tail_of_rows_costs_degrees_of_freedom() -> None:
    rng = np.random.default_rng(0)
    light, heavy = rng.normal(size=(2, 200))
    heavy[:3] += 40
    found = [estimate(10 + rows + 0.1 * rng.normal(size=(8, 200))) for rows in (light, heavy)]
    assert found[0].freedom > 150
    assert found[1].freedom < 10


def test_the_interval_of_a_loss_stays_above_zero_and_leans_up() -> None:
    rng = np.random.default_rng(0)
    cells = rng.lognormal(0, 1.5, size=(1, 60)) * rng.lognormal(0, 0.1, size=(5, 1)) + rng.normal(0, 0.1, (5, 60))
    straight, positive = interval(cells), interval(cells, positive=True)
    assert 0 < positive.low < positive.mean < positive.high
    assert positive.low > straight.low
    assert positive.high > straight.high
    tiny = np.array([[1e-9, 2e-9], [1e-9, 5e-1]])
    assert np.isfinite(interval(tiny, positive=True).high)


@pytest.mark.parametrize("bias", [0.0, -0.02])
def test_an_accuracy_has_the_interval_of_its_error(bias: float) -> None:
    """Also where a straight interval would reach above all that an accuracy can be."""
    cells = np.zeros((4, 30))
    cells[:, 0] = cells[2, 1] = 1  # a row that every seed gets wrong, and one that a single seed does
    assert interval(1 - cells).high > 1
    found, of_error = interval_below_one(1 - cells, bias=bias), interval(cells, positive=True, bias=-bias)
    assert found.low < found.mean < found.high < 1
    wanted = 1 - of_error.mean, 1 - of_error.high, 1 - of_error.low
    assert (found.mean, found.low, found.high) == pytest.approx(wanted)


def test_an_accuracy_of_one_on_some_seed_is_no_more_than_one() -> None:
    assert interval_below_one(np.array([[1.0], [0.9], [0.95]])).high == 1


def test_a_bias_moves_the_interval_and_a_widening_widens_it() -> None:
    cells = np.random.default_rng(0).normal(10, 1, size=(6, 20))
    plain, moved, wide = interval(cells), interval(cells, bias=2.0), interval(cells, widening=3.0)
    assert moved.mean == pytest.approx(plain.mean + 2)
    assert moved.high - moved.low == pytest.approx(plain.high - plain.low)
    assert wide.error == pytest.approx(3 * plain.error)
    assert wide.high - wide.low == pytest.approx(3 * (plain.high - plain.low))


@pytest.mark.parametrize("heavy", [False, True], ids=["normal", "heavy tail"])
def test_intervals_hold_the_true_mean_where_those_over_seeds_do_not(heavy: bool) -> None:
    """Losses of 8 networks on 100 rows, most of whose noise is that of the rows."""
    rng = np.random.default_rng(3)
    ours, seeds_alone = [], []
    for _ in range(400):
        rows = rng.lognormal(0, 1, 100) / np.exp(0.5) if heavy else 1 + 0.6 * rng.normal(size=100)
        cells = 5 * rows * (1 + 0.1 * rng.normal(size=(8, 1))) + rng.normal(size=(8, 100))
        for held, found in (
            (ours, interval(cells, positive=True)),
            (seeds_alone, interval(cells.mean(axis=1, keepdims=True))),
        ):
            held.append(found.low <= 5 <= found.high)
    assert np.mean(ours) >= 0.92
    assert np.mean(seeds_alone) < 0.85
