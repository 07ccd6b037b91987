"""The rule that says when a run has diverged."""

from __future__ import annotations

import math

import pytest

from lrsearch.training.divergence import diverged


@pytest.mark.parametrize(
    ("value", "before", "expected"),
    [
        (math.nan, 1.0, True),
        (math.inf, 1.0, True),
        (-math.inf, 1.0, True),
        (1000.1, 1.0, True),
        (1000.0, 1.0, False),
        (5.0, 0.0, False),
        (0.0, 1.0, False),
    ],
)
def test_rule(value: float, before: float, expected: bool) -> None:
    assert diverged(value, before) is expected


@pytest.mark.parametrize("before", [-5.0, 5.0])
def test_size_of_the_start_value_counts_not_its_sign(before: float) -> None:
    """A loss below 0 diverges where one above 0 does; a metric that is to rise, where it falls as far."""
    assert diverged(5001.0, before)
    assert not diverged(4999.0, before)
    assert not diverged(-5001.0, before)
    assert diverged(-5001.0, before, maximise=True)
    assert not diverged(5001.0, before, maximise=True)
