"""Intervals over seeds and rows: two samples that are crossed, for every seed is scored on the same rows.

Sources: Searle, Casella and McCulloch, "Variance components" (1992), for the components; Satterthwaite, "An approximate
distribution of estimates of variance components" (1946), for the degrees of freedom; O'Neill, "Some useful moment
results in sampling problems" (2014), for those of a variance of heavy tails; Johnson, "Modified t tests and confidence
intervals for asymmetrical populations" (1978), for skewness. `tests/benchmarks/row_coverage.py` says what they are
worth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
LARGEST_EXPONENT = 50.0
"""An interval that reaches over so many powers of e says nothing, and may as well be finite."""
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate, with the limits between which its true value lies with a stated confidence."""

    mean: float
    low: float
    high: float
    error: float
    """Standard error of the mean."""

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and rows.

    Attributes:
        mean: The mean.
        error: Its standard error.
        freedom: Degrees of freedom of the error.
        rows_error: The part of the error that any number of further seeds would leave.
        skewness: Of the mean, as far as the rows make it.
    """

    mean: float
    error: float
    freedom: float
    rows_error: float
    skewness: float


def estimate(cells: Numbers) -> Estimate:
    """The mean, by crossed random effects: ``variance = (MS_seeds + MS_rows - MS_rest) / (seeds * blocks)``.

    Args:
        cells: At least two seeds, and one block where rows are not told apart; [seeds, blocks].
    """
    seeds, blocks = cells.shape
    mean = float(cells.mean())
    of_seeds, of_blocks = cells.mean(axis=1), cells.mean(axis=0)
    by_seeds = float(of_seeds.var(ddof=1)) / seeds
    if blocks == 1:
        return Estimate(mean, math.sqrt(by_seeds), seeds - 1, 0.0, 0.0)
    rest = cells - of_seeds[:, None] - of_blocks + mean
    by_rest = float((rest**2).sum()) / ((seeds - 1) * (blocks - 1)) / (seeds * blocks)
    by_rows = max(float(of_blocks.var(ddof=1)) / blocks - by_rest, 0.0)
    total = by_seeds + by_rows
    if not total:
        return Estimate(mean, 0.0, seeds - 1, 0.0, 0.0)
    off = of_blocks - of_blocks.mean()
    freedom = total**2 / (by_seeds**2 / (seeds - 1) + by_rows**2 / _freedom(off))
    skewness = float((off**3).mean()) / blocks**2 / total**1.5
    return Estimate(mean, math.sqrt(total), freedom, math.sqrt(by_rows), skewness)


def interval(
    cells: Numbers, confidence: float = CONFIDENCE, *, positive: bool = False, bias: float = 0.0, widening: float = 1.0
) -> Interval:
    """The mean with Student's t interval.

    Args:
        cells: See `estimate`.
        confidence: Of the interval.
        positive: Whether the mean is of losses, which are positive and have a long tail of large values: the interval
            is that of the logarithm then, and reaches further up the more skewed the rows are.
        bias: What is to be added to the mean, because it is known to be too low by so much.
        widening: How many times larger the error is than that of a mean that was not picked.
    """
    found = estimate(cells)
    if not positive or cells.shape[1] == 1 or found.mean + bias <= 0 or not found.error:
        return around(found, confidence, bias=bias, widening=widening)
    mean, error = found.mean + bias, found.error * widening
    quantile = _quantile(found, confidence)
    half = quantile * error
    ratio = min(half / mean, LARGEST_EXPONENT)
    further = max(error * found.skewness * (1 + 2 * quantile**2) / 6, 0.0)
    return Interval(mean, mean * math.exp(-ratio), mean * math.exp(ratio) + further, error)


def interval_below_one(
    cells: Numbers, confidence: float = CONFIDENCE, *, bias: float = 0.0, widening: float = 1.0
) -> Interval:
    """The mean of something that is 1 at most, such as an accuracy: 1 minus the interval of what it lacks, a loss.

    Args:
        cells: See `estimate`.
        confidence: Of the interval.
        bias: See `interval`.
        widening: See `interval`.
    """
    lacks = 1 - cells
    found = interval(lacks, confidence, positive=bool((lacks.mean(axis=1) > 0).all()), bias=-bias, widening=widening)
    return Interval(1 - found.mean, 1 - found.high, min(1 - found.low, 1.0), found.error)


def around(found: Estimate, confidence: float = CONFIDENCE, *, bias: float = 0.0, widening: float = 1.0) -> Interval:
    """Student's t interval around an estimate.

    Args:
        found: The estimate.
        confidence: Of the interval.
        bias: See `interval`.
        widening: See `interval`.
    """
    mean, error = found.mean + bias, found.error * widening
    half = _quantile(found, confidence) * error if error else 0.0
    return Interval(mean, mean - half, mean + half, error)


def mean_interval(values: Numbers, confidence: float = CONFIDENCE) -> Interval:
    """The mean of some values, one per seed, with Student's t interval.

    A bootstrap interval would need no normal distribution, but it needs many values: with five of them scipy's
    percentile and BCa intervals hold the true mean in 80 to 83 of 100 cases instead of 95, Student's in 95 of 100 for
    normal values and 90 for skewed ones (exponentially distributed). A test simulates that.

    Args:
        values: At least two; [values].
        confidence: Of the interval.
    """
    return interval(values[:, None], confidence)


def _quantile(found: Estimate, confidence: float) -> float:
    from scipy.special import stdtrit  # its own import is a third of a second

    return float(stdtrit(found.freedom, (1 + confidence) / 2))


def _freedom(off: Numbers) -> float:
    """Degrees of freedom of a variance: fewer than there are values, where a few of them make most of it."""
    square = float((off**2).mean())
    excess = float((off**4).mean()) / square**2 - 3 if square else 0.0
    return min(len(off) - 1.0, 2 * len(off) / (max(excess, 0.0) + 2))
