"""Whether the seeds' values fall into two groups: some runs get there, others are stuck. Numbers in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 2
"""Runs of a group: one run that is far from all others is an outlier, not a group."""
CRITICAL = {
    5: 16.8, 6: 12.5, 7: 10.4, 8: 9.2, 9: 8.4, 10: 7.8, 11: 7.3, 12: 6.9, 13: 6.6, 14: 6.4, 15: 6.2, 16: 6.0, 17: 5.9,
    18: 5.8, 19: 5.7, 20: 5.6, 21: 5.5, 22: 5.5, 23: 5.4, 24: 5.3, 25: 5.3, 26: 5.2, 27: 5.2, 28: 5.1, 29: 5.1, 30: 5.1,
}  # fmt: skip
"""By the number of values: the separation that at most 1 of 100 samples of one group exceeds."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Groups:
    """Two groups of runs.

    Attributes:
        better: Runs in the group of the smaller values.
        worse: Runs in the other.
        better_limits: The smallest and the largest value of the first group.
        worse_limits: Those of the second.
    """

    better: int
    worse: int
    better_limits: tuple[float, float]
    worse_limits: tuple[float, float]


def two_groups(values: Numbers) -> Groups | None:
    """The two groups that the values fall into; None where one group may have them all.

    The values are split where the means of the two sides are the most standard deviations apart (`separation`). There
    are two groups if that is more than one group's samples show: `CRITICAL`, from the worst of normal, lognormal,
    exponential, uniform and t distributions. `tests/benchmarks/groups_found.py` simulates that. It finds
    most pairs of normal groups that are 10 standard deviations apart with 8 runs, 7 apart with 12, 5 apart with 30.

    Args:
        values: One per seed, smaller is better; fewer than five are never split, more than thirty are judged as
            thirty; [seeds].
    """
    if len(values) < min(CRITICAL):
        return None
    ordered = np.sort(values)
    found = separation(ordered)
    best = int(found.argmax())
    if not found[best] > CRITICAL[min(len(values), max(CRITICAL))]:
        return None
    low, high = np.split(ordered, [best + FEWEST])
    return Groups(len(low), len(high), (float(low[0]), float(low[-1])), (float(high[0]), float(high[-1])))


def separation(ordered: Numbers) -> Numbers:
    """By how many standard deviations within the groups their means differ, for each place to split at.

    On the scale of the values and on that of their logarithms, and the smaller counts: one skewed group looks like two
    on one of them. Where values have both signs there is no second scale.

    Args:
        ordered: Ascending values, or a sample in each row; [..., values].

    Returns:
        The first place has `FEWEST` values below it; [..., values - 2 * FEWEST + 1].
    """
    found = _separation(ordered)
    same_sign = (ordered[..., :1] > 0) | (ordered[..., -1:] < 0)
    sizes = np.where(same_sign, np.abs(ordered), 1.0)
    logarithms = np.where(ordered[..., :1] > 0, np.log(sizes), -np.log(sizes))
    return np.where(same_sign, np.minimum(found, _separation(logarithms)), found)


def _separation(ordered: Numbers) -> Numbers:
    """`separation` on the scale given.

    Values that are rounded, such as errors on a few rows, vary within their groups at least as rounding does: by the
    root of a twelfth of the smallest step between any two.
    """
    count = ordered.shape[-1]
    below = np.arange(FEWEST, count - FEWEST + 1)
    centred = ordered - ordered.mean(axis=-1, keepdims=True)
    sums, powers = centred.cumsum(axis=-1), (centred**2).cumsum(axis=-1)
    low, high = sums[..., below - 1], sums[..., -1:] - sums[..., below - 1]
    within = powers[..., -1:] - low**2 / below - high**2 / (count - below)
    steps = np.diff(ordered, axis=-1)
    step = np.where(steps > 0, steps, np.inf).min(axis=-1, keepdims=True)
    rounding = np.where(np.isfinite(step), step, 1.0) ** 2 / 12
    deviation = np.sqrt(np.maximum(within / (count - 2), rounding))
    return np.asarray((high / (count - below) - low / below) / deviation)
