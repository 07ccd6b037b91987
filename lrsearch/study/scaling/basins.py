"""Whether a rung has two valleys that compete: then their mean is a rate that nobody should use."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from lrsearch.study.scaling.parabola import Numbers
from lrsearch.study.scaling.valley import Rung, Valley, error, height, unit

SURE = 3.0
"""Standard errors by which the ridge must be above both valleys: the pairs looked at are many."""
RIDGE = 0.02
"""Height of a ridge that matters: of the value, or of the span of values where those are not all positive."""
COMPETES = 0.2
"""How much higher the other valley may be, in the same unit, and still be the better one on a longer run."""

APART = 4.0
"""Two rates so many times apart are not one valley that seeds have torn."""
WINS = 0.05
"""Share of resamples of the seeds that a far valley must win."""


@dataclass(frozen=True)
class Basins:
    """Two valleys with a ridge between.

    Attributes:
        at: The rung.
        lower: Rate of one.
        upper: Rate of the other.
    """

    at: float
    lower: float
    upper: float


def two_basins(rung: Rung) -> Basins | None:
    """The deepest pair of valleys that compete, with a ridge between them that seeds do not explain.

    Args:
        rung: At least one rate has a finite mean.

    Returns:
        None if there is no such pair.
    """
    heights = height(rung.means)
    scale, noise = unit(rung.means), error(rung)
    best = float(heights.min())
    for first, second in combinations(sorted(_minima(heights), key=lambda place: heights[place]), 2):
        left, right = sorted((first, second))
        inside = heights[left + 1 : right]
        ridge = float(inside[np.isfinite(inside)].max(initial=-np.inf))
        wanted = max(SURE * noise, RIDGE * scale)
        deep = ridge - max(heights[left], heights[right]) > wanted
        if deep and heights[second] - best < max(COMPETES * scale, 2 * noise):
            return Basins(rung.at, float(rung.rates[left]), float(rung.rates[right]))
    return None


def torn(valley: Valley) -> Basins | None:
    """Two valleys far apart of which seeds do not tell which is the deeper one, whether or not the ridge is sure.

    Args:
        valley: Of a rung.

    Returns:
        None if one of them wins nearly always.
    """
    rung, heights = valley.rung, height(valley.rung.means)
    scale = unit(rung.means)
    best = int(np.argmin(heights))
    for other in _minima(heights):
        left, right = sorted((best, other))
        if rung.rates[right] / rung.rates[left] < APART:
            continue
        inside = heights[left + 1 : right]
        ridge = left + 1 + int(np.argmax(np.where(np.isfinite(inside), inside, -np.inf)))
        far = valley.won[ridge + 1 :].sum() if other > best else valley.won[:ridge].sum()
        if heights[ridge] - heights[other] > RIDGE * scale and far >= WINS:
            return Basins(rung.at, float(rung.rates[left]), float(rung.rates[right]))
    return None


def _minima(heights: Numbers) -> list[int]:
    """Places that are lower than those beside them; the ends are no valleys, and `edge` looks at them."""
    return [
        place
        for place in range(1, len(heights) - 1)
        if heights[place] <= heights[place - 1] and heights[place] < heights[place + 1]
    ]
