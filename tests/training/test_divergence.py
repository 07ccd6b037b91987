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
