"""When a run counts as diverged."""

from __future__ import annotations

import math

LIMIT = 1e3
"""A run has diverged when its loss or test metric exceeds this many times the size of its value before training."""


def diverged(value: float, before: float, *, maximise: bool = False) -> bool:
    """Whether a loss or metric is non-finite, or worse than `LIMIT` times the size of its value before training.

    It is judged by ``value > LIMIT * |before|``, or ``value < -LIMIT * |before|`` where it is to rise. Before a value
    of exactly 0 only what is not finite has diverged: nothing says how large is large.

    Args:
        value: The value now.
        before: The value before training.
        maximise: Whether a larger value is better.
    """
    worse = -value if maximise else value
    return not math.isfinite(value) or worse > LIMIT * abs(before) > 0
