"""What other tasks say about the slope before any run is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Fixed = Literal["updates", "epochs"]


@dataclass(frozen=True)
class Prior:
    """How the log of the best rate changes with the log of the axis, on tasks seen before.

    Attributes:
        slope: Mean over tasks.
        spread: Standard deviation between tasks.
        scatter: Standard deviation of a rung's optimum around its task's line, seeds apart.
        drift: Standard deviation of what the slope changes by beyond the rungs, per unit of log axis.
    """

    slope: float
    spread: float
    scatter: float
    drift: float


EPOCHS = Prior(slope=-1.0, spread=0.2, scatter=0.06, drift=0.05)
"""From `tests/benchmarks/scale_cases.py`: slopes of -0.82 to -1.20 in eleven cases of four small tasks; their means
have a standard deviation of 0.16. Where the rungs contradict it, `law` widens it."""
OTHERS: dict[tuple[str, Fixed], Prior] = {
    ("data", "updates"): Prior(0.5, 0.4, 0.15, 0.15),
    ("data", "epochs"): Prior(-0.8, 0.5, 0.15, 0.15),
    ("batch_size", "updates"): Prior(0.0, 0.4, 0.15, 0.15),
    ("batch_size", "epochs"): Prior(0.5, 0.5, 0.15, 0.15),
}
"""With the updates fixed from `tests/benchmarks/scale_axes.py`, two tasks of few rows: slopes of 0.39 to 0.75 over
data, of -0.48 to 0.17 over the batch, and optima up to 0.5 off their line. With the epochs fixed not measured:
published laws for the batch lie between the square root and none (arXiv 2405.14578, 2503.04715)."""
UNKNOWN = Prior(0.0, 0.7, 0.06, 0.08)
"""Of an axis that nobody has told us about, and of epochs where a run is judged by its best one."""


LEAST = 0.2
"""Standard deviation that a prior from few tasks has at least."""


def of(axis: str, fixed: Fixed = "updates", *, best: bool = False) -> Prior:
    """The prior of an axis.

    Args:
        axis: Its name.
        fixed: What stays the same where data or batch size grow.
        best: Whether a run is judged by its best epoch: a longer run need not want another rate then.
    """
    if axis == "epochs":
        return UNKNOWN if best else EPOCHS
    return OTHERS.get((axis, fixed), UNKNOWN)


def learned(slopes: Sequence[float], scatter: float, drift: float) -> Prior:
    """The prior that the slopes of some tasks make.

    Args:
        slopes: One per task.
        scatter: See `Prior`.
        drift: See `Prior`.
    """
    return Prior(float(np.mean(slopes)), max(float(np.std(slopes, ddof=1)), LEAST), scatter, drift)
