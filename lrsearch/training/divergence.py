"""When a run counts as diverged."""

from __future__ import annotations

import math

LIMIT = 1e3
"""A run has diverged when its loss or test metric is worse than this many times the size of that before training."""


def diverged(value: float, before: float, *, maximise: bool = False) -> bool:
    """Whether a loss or metric is non-finite, or worse than `LIMIT` times the size of its value before training.

    Args:
        value: The value now.
        before: The value before training; where that is 0 there is no limit.
        maximise: Whether larger values are better.
    """
    worse = -value if maximise else value
    return not math.isfinite(value) or worse > LIMIT * abs(before) > 0
