"""Two groups of runs are found where there are two, and seldom where there is one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lrsearch.study.groups import CRITICAL, separation, two_groups

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Values]
ONE: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "lognormal": lambda rng, shape: rng.lognormal(0, 1, shape),
    "exponential": lambda rng, shape: rng.exponential(size=shape),
    "uniform": lambda rng, shape: 10 + rng.random(shape),
    "t": lambda rng, shape: 20 + rng.standard_t(5, shape),
}


def test_six_runs_get_there_and_four_are_stuck() -> None:
    values = np.array([9.4, 16.2, 9.0, 9.9, 15.8, 9.7, 16.0, 9.2, 16.3, 9.5])
    found = two_groups(values)
    assert found is not None
    assert (found.better, found.worse) == (6, 4)
    assert (found.better_limits, found.worse_limits) == ((9.0, 9.9), (15.8, 16.3))


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("runs", [5, 8, 15, 30])
def test_one_group_is_seldom_taken_for_two(name: str, runs: int) -> None:
    values = np.sort(ONE[name](np.random.default_rng(runs), (4000, runs)), axis=1)
    assert np.mean(separation(values).max(axis=1) > CRITICAL[runs]) <= 0.014


@pytest.mark.parametrize(("runs", "distance"), [(8, 10), (12, 8), (20, 7)])
def test_most_pairs_of_groups_are_found(runs: int, distance: float) -> None:
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(200):
        values = 30 + rng.normal(size=runs)
        values[: runs // 3] += distance
        groups = two_groups(rng.permutation(values))
        found += groups is not None and (groups.better, groups.worse) == (runs - runs // 3, runs // 3)
    assert found > 100


@given(st.lists(st.integers(-5, 5).map(float), max_size=40), st.floats(0.1, 10))
def test_any_values_have_an_answer_that_no_factor_changes(values: list[float], factor: float) -> None:
    found = two_groups(np.array(values))
    other = two_groups(np.array(values) * factor)
    assert (found is None) == (other is None)
    if found is not None:
        assert found.better + found.worse == len(values)
        assert found.better_limits[1] < found.worse_limits[0]


def test_a_single_outlier_is_no_group() -> None:
    assert two_groups(np.array([9.0, 9.1, 9.2, 9.3, 9.4, 9.5, 9.6, 30.0])) is None


def test_errors_on_few_rows_that_take_two_values_are_no_groups() -> None:
    assert two_groups(np.array([0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.2])) is None


def test_too_few_or_equal_values_are_one_group() -> None:
    assert two_groups(np.array([1.0, 1.0, 9.0, 9.1])) is None
    assert two_groups(np.full(10, 3.0)) is None
