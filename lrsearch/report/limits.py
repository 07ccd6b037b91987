"""Which part of an axis to show, so that a few exploded values do not squash the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOG_FROM = 3.0
"""Values that span at least this ratio are shown on a log axis."""
FENCE = 2.0
"""Values further than this many interquartile ranges past the quartiles, on the worse side, lie outside."""
SPARED = 0.2
"""But none does where showing all of them makes the axis longer by no more than this share."""


@dataclass(frozen=True)
class Span:
    """Part of an axis.

    Attributes:
        low: Smallest value shown.
        high: Largest value shown.
        log: Whether the axis is logarithmic.
    """

    low: float
    high: float
    log: bool

    def clip(self, values: ArrayLike) -> NDArray[np.float64]:
        """Values moved to the edge they lie beyond; NaN, which is nowhere, to the upper edge."""
        numbers = np.nan_to_num(np.asarray(values, dtype=float), nan=np.inf, posinf=np.inf, neginf=-np.inf)
        return np.asarray(np.clip(numbers, self.low, self.high), dtype=np.float64)

    def share_of(self, other: Span) -> float:
        """Its length as a share of another one's, on the scale of the other.

        Args:
            other: One that holds it.
        """
        ends = np.array([self.low, self.high, other.low, other.high])
        low, high, lowest, highest = np.log(ends) if other.log else ends
        return float((high - low) / (highest - lowest))

    def widened(self, below: float, above: float) -> tuple[float, float]:
        """Limits with room at both ends.

        Args:
            below: Room below, as a share of the span.
            above: Room above.
        """
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        length = high - low
        low, high = low - below * length, high + above * length
        return (math.exp(low), math.exp(high)) if self.log else (low, high)


def span(values: ArrayLike, *, maximise: bool = False, fence: bool = True, log: bool = True) -> Span:
    """The part of an axis where values lie, but for outliers at the worse end.

    Args:
        values: What shall be shown; what is not finite is left out.
        maximise: Whether larger values are better, so that the worse end is the lower one.
        fence: Whether to leave outliers out.
        log: Whether the axis may be logarithmic; where larger is better, it never is: scores are not losses.

    Returns:
        A span with ``low < high``; 0 to 1 if there are no values.
    """
    numbers = np.asarray(values, dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return Span(0.0, 1.0, False)
    low, high = float(numbers.min()), float(numbers.max())
    if fence:
        low, high = _without_outliers(numbers, maximise)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        margin = 0.1 * abs(low) or 1.0
        return Span(low - margin, high + margin, False)
    return Span(low, high, log and not maximise and low > 0 and high >= LOG_FROM * low)


def _without_outliers(numbers: NDArray[np.float64], maximise: bool) -> tuple[float, float]:
    # In logarithms where that is possible: losses are skewed, and exploded ones would move a linear fence.
    positive = bool((numbers > 0).all())
    scaled = np.log(numbers) if positive else numbers
    first, third = np.quantile(scaled, [0.25, 0.75])
    fence = float(first - FENCE * (third - first) if maximise else third + FENCE * (third - first))
    lowest, highest = float(scaled.min()), float(scaled.max())
    inside = highest - fence if maximise else fence - lowest
    low, high = float(numbers.min()), float(numbers.max())
    if highest - lowest <= (1 + SPARED) * inside:
        return low, high
    edge = math.exp(min(fence, 700.0)) if positive else fence
    return (edge, high) if maximise else (low, edge)
