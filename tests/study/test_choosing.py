"""Who is picked, and what being picked does to a mean: by hand, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from lrsearch.study.choosing import Choice
from lrsearch.study.contender import Contender
from lrsearch.study.crossed import mean_interval
from lrsearch.study.evidence import Evidence
from lrsearch.study.snippet import Steps

Values = NDArray[np.float64]
WHOLE = arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(2, 7)), elements=st.integers(0, 9).map(float))


def evidence(values: Values) -> Evidence:
    """Finalists of the same complexity; the learning rate tells which row is whose."""
    cube = values if values.ndim == 3 else values[:, :, None]
    contenders = [
        Contender(
            {"lr": float(row), "scheduler": "lambda", "decay": 0.9}, "search", 0, None, cells.mean(axis=1),
            cells.mean(axis=1), 0, 0, Steps(60), cells, len(cells),
        )
        for row, cells in enumerate(cube)
    ]  # fmt: skip
    return Evidence("holdout", 300, "", list(range(cube.shape[1])), sorted(contenders, key=lambda one: one.mean))


@given(WHOLE, st.data())
def test_the_rule_in_one_sentence(values: Values, data: st.DataObject) -> None:
    """Of those whose mean is within the margin of the best mean the simplest; of equally simple ones the best."""
    rows = len(values)
    complexities = data.draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))
    margin = data.draw(st.floats(0, 3))
    means = values.mean(axis=1)
    near = [row for row in range(rows) if means[row] <= means.min() + margin]
    wanted = min(near, key=lambda row: (complexities[row], means[row]))
    assert Choice(values[:, :, None], complexities, margin).pick(range(rows)) == wanted


def test_only_those_that_may_be_taken_are_looked_at() -> None:
    choice = Choice(np.array([[[1.0], [1.0]], [[2.0], [2.0]], [[3.0], [3.0]]]), [0, 0, 0], 0.0)
    assert choice.pick([1, 2]) == 1


@pytest.mark.parametrize("of_rows", [0.0, 3.0], ids=["seeds", "seeds and rows"])
def test_what_is_expected_is_what_comes(of_rows: float) -> None:
    """The mean of the picked one is too low and its interval too hopeful; what is expected is neither."""
    rng = np.random.default_rng(1)
    missed, corrected, covered = [], [], []
    blocks = 30 if of_rows else 1
    for _ in range(150):
        true = 10 + rng.exponential(size=6)
        luck = 2.6 * rng.normal(size=(5, 1)) + 4 * rng.normal(size=(6, 5, 1))
        rows = of_rows * (rng.normal(size=blocks) + rng.normal(size=(6, 1, blocks)))
        found = evidence(true[:, None, None] + luck + rows)
        chosen = true[int(found.recommended.params["lr"])]
        missed.append(chosen - found.recommended.mean)
        corrected.append(chosen - found.expected.mean)
        covered.append(found.expected.low <= chosen <= found.expected.high)
    assert np.mean(missed) > 0.8
    assert abs(np.mean(corrected)) < np.mean(missed) / 3
    assert np.mean(covered) >= 0.92


def test_who_is_better_on_every_seed_was_not_picked_by_luck() -> None:
    seeds = np.array([8.0, 9.0, 10.0, 11.0, 12.0])
    values = np.stack([seeds, seeds + 3])
    found = Choice(values[:, :, None], [0, 0], 0.0).flattery(range(2))
    assert found.mean == pytest.approx(0.0, abs=0.05)
    assert found.widening == pytest.approx(1.0, abs=0.05)
    assert evidence(values).expected.mean == pytest.approx(10.0, abs=0.05)


def test_a_difference_of_two_that_were_picked_from_as_many_is_flattered_little() -> None:
    """Each is too low by as much as the other."""
    rng = np.random.default_rng(0)
    choice = Choice(10 + rng.normal(size=(8, 10, 1)), [0] * 8, 0.0)
    one, both = choice.flattery(range(4)), choice.flattery_of_difference(range(4), range(4, 8))
    assert abs(both.mean) < one.mean * 1.1
    assert choice.flattery_of_difference([0], range(4, 8)).mean < 0, "what is fixed is not flattered, the other is"


def test_rows_that_all_say_the_same_correct_a_difference_as_one_does() -> None:
    values = np.random.default_rng(2).normal(size=(6, 10))
    one, three = (Choice(np.repeat(values[:, :, None], rows, axis=2), [0] * 6, 0.0) for rows in (1, 3))
    expected = one.flattery_of_difference([0, 1], [2, 3, 4, 5])
    found = three.flattery_of_difference([0, 1], [2, 3, 4, 5])
    assert expected.mean
    assert found.mean == pytest.approx(expected.mean, rel=1e-9)


def test_the_only_finalist_was_not_picked() -> None:
    values = np.array([[8.0, 9.0, 13.0]])
    found, own = evidence(values).expected, mean_interval(values[0])
    assert found.mean == pytest.approx(own.mean, rel=0.02)


@settings(max_examples=10)
@given(WHOLE)
def test_nobody_is_expected_to_be_better_than_it_was(values: Values) -> None:
    found = evidence(values)
    own = mean_interval(found.recommended.values)
    assert found.expected.mean >= own.mean
    assert found.expected.high - found.expected.low >= (own.high - own.low) * 0.999
    assert found.expected == evidence(values).expected
