"""The difference of two contenders: seed by seed where they share seeds, of two independent samples where not.

Source: Welch, "The generalization of 'Student's' problem when several different population variances are involved"
(1947).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lrsearch.study import crossed
from lrsearch.study.contender import Contender, Numbers
from lrsearch.study.crossed import Estimate

SHARED = 0.5
"""So many of the seeds of the one that has fewer must be the other's, too, for a comparison in pairs. Pairs throw the
other seeds away, and below it those are most of what is known."""


@dataclass(frozen=True)
class Pair:
    """A difference of two means.

    Attributes:
        estimate: The difference.
        seeds: On how many seeds it rests: on so many for each of the two, it would be known as well.
    """

    estimate: Estimate
    seeds: float


def difference(one: Contender, other: Contender) -> Pair:
    """How much larger one's mean is than the other's.

    Args:
        one: With at least two values.
        other: The same.
    """
    shared = one.mask & other.mask
    fewer = min(int(one.mask.sum()), int(other.mask.sum()))
    number = int(shared.sum())
    if number >= max(SHARED * fewer, 2):
        return Pair(crossed.estimate(one.cells[shared] - other.cells[shared]), number)
    return _welch(one.known, other.known)


def _welch(one: Numbers, other: Numbers) -> Pair:
    variances = np.array([one.var(ddof=1), other.var(ddof=1)])
    sizes = np.array([len(one), len(other)])
    parts = variances / sizes
    total, mean = float(parts.sum()), float(one.mean() - other.mean())
    if not total:
        return Pair(Estimate(mean, 0.0, float(sizes.min() - 1), 0.0, 0.0), float(sizes.min()))
    freedom = total**2 / float((parts**2 / (sizes - 1)).sum())
    return Pair(Estimate(mean, math.sqrt(total), freedom, 0.0, 0.0), float(variances.sum()) / total)
