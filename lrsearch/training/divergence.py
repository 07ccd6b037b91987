"""When a run counts as diverged."""

from __future__ import annotations

import math

LIMIT = 1e3
"""A run has diverged when its loss or test metric exceeds this many times its value before training."""


def diverged(value: float, before: float) -> bool:
    """Whether a loss or metric is non-finite, or exceeds `LIMIT` times its value before training.

    Args:
        value: The value now.
        before: The value before training.
    """
    return not math.isfinite(value) or value > LIMIT * before > 0
