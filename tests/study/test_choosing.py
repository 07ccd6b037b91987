"""Who is picked, and what being picked does to a mean: by hand, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

from lrsearch.study.choosing import AS_LIKELY, flattery, pick
from lrsearch.study.evidence import Contender, Evidence, mean_interval

Values = NDArray[np.float64]
WHOLE = arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(2, 7)), elements=st.integers(0, 9).map(float))


def evidence(values: Values) -> Evidence:
    """Finalists of the same complexity; the learning rate tells which row is whose."""
    contenders = [
        Contender({"lr": float(row), "scheduler": "lambda", "decay": 0.9}, "search", 0, None, own, own, 0, 0, 60.0)
        for row, own in enumerate(values)
    ]
    return Evidence("holdout", 300, "", list(range(values.shape[1])), sorted(contenders, key=lambda one: one.mean))


@given(WHOLE, st.data())
def test_the_rule_against_scipy(values: Values, data: st.DataObject) -> None:
    """The simplest of the leader and those within a standard error of it that are likely enough."""
    rows = len(values)
    complexities = data.draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))
    chances = data.draw(st.lists(st.floats(0, 1), min_size=rows, max_size=rows))
    means = values.mean(axis=1)
    leader = int(np.argmin(means))
    near = [leader]
    for row in range(rows):
        behind = values[row] - values[leader]
        if behind.mean() <= stats.sem(behind) and chances[row] >= AS_LIKELY * chances[leader]:
            near.append(row)
    assert pick(values, complexities, chances) == min(near, key=lambda row: (complexities[row], means[row]))


@pytest.mark.parametrize(("finalists", "seeds"), [(6, 5), pytest.param(12, 20, marks=pytest.mark.soak)])
def test_what_is_expected_is_what_comes(finalists: int, seeds: int) -> None:
    """The mean of the picked one is too low and its interval too hopeful; what is expected is neither."""
    rng = np.random.default_rng(1)
    missed, corrected, covered = [], [], []
    for _ in range(80):
        true = 10 + rng.exponential(size=finalists)
        luck = 2.6 * rng.normal(size=seeds) + 4 * rng.normal(size=(finalists, seeds))
        found = evidence(true[:, None] + luck)
        chosen = true[int(found.recommended.params["lr"])]
        missed.append(chosen - found.recommended.mean)
        corrected.append(chosen - found.expected.mean)
        covered.append(found.expected.low <= chosen <= found.expected.high)
    assert np.mean(missed) > 0.8
    assert abs(np.mean(corrected)) < np.mean(missed) / 3
    assert np.mean(covered) >= 0.93


def test_who_is_better_on_every_seed_was_not_picked_by_luck() -> None:
    seeds = np.array([8.0, 9.0, 10.0, 11.0, 12.0])
    values = np.stack([seeds, seeds + 3])
    found = flattery(values, [0, 0], [1.0, 0.0])
    assert found.mean == pytest.approx(0.0, abs=0.05)
    assert found.spread == pytest.approx(stats.sem(seeds), rel=0.05)
    assert evidence(values).expected.mean == pytest.approx(10.0, abs=0.05)


def test_the_only_finalist_was_not_picked() -> None:
    values = np.array([[8.0, 9.0, 13.0]])
    assert evidence(values).expected == mean_interval(values[0])


@settings(max_examples=10)
@given(WHOLE)
def test_nobody_is_expected_to_be_better_than_it_was(values: Values) -> None:
    found = evidence(values)
    own = mean_interval(found.recommended.values)
    assert found.expected.mean >= own.mean
    assert found.expected.high - found.expected.low >= (own.high - own.low) * 0.999
    assert found.expected == evidence(values).expected
