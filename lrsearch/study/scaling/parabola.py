"""The lowest points of several valleys: a parabola through the rates around the best one, equally wide on all rungs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
WINDOW = float(np.log(4.2))
"""A parabola is fitted to rates within this distance of the lowest point: a valley is a parabola only near there."""
LOOKS = 3
"""How often the window is moved to the lowest points of the parabolas before."""
TINY = 1e-12
FLAT = 1e-9
"""A curvature that is none."""


class Bowls(NamedTuple):
    """Parabolas through the valleys of several rungs.

    Attributes:
        places: Log rates of the lowest points; [rung, draw].
        curvature: What the square of the log rate is multiplied by, the same for all rungs; [draw], 0 where nothing
            bends upwards.
    """

    places: Numbers
    curvature: Numbers


def bowls(rates: Sequence[Numbers], heights: Sequence[Numbers]) -> Bowls:
    """The lowest points of valleys.

    Each rung has a parabola of its own place and height, and all have one curvature: what few seeds say of it, they say
    together. Where the parabolas do not bend upwards, the lowest points are the best rates themselves.

    Args:
        rates: Of each rung, ascending; [rate].
        heights: Of each rung; [draw, rate], and at least one of each draw is finite.
    """
    places, values = _padded(rates, heights)
    best = np.take_along_axis(places[:, 0], np.argmin(values, axis=2), axis=1)
    centre, settled = best.copy(), np.ones(best.shape[1], dtype=bool)
    curvature = np.zeros(best.shape[1])
    for _ in range(LOOKS):
        x = places - centre[..., None]
        near = np.isfinite(values) & (np.abs(x) <= WINDOW)
        found, curvature = _moved(x, values, near)
        settled &= curvature > 0
        first, last = (np.where(near, x, far) for far in (np.inf, -np.inf))
        centre += np.where(settled, np.clip(found, first.min(axis=2), last.max(axis=2)), 0.0)
    return Bowls(np.asarray(np.where(settled, centre, best)), np.asarray(np.where(settled, curvature, 0.0)))


def _padded(rates: Sequence[Numbers], heights: Sequence[Numbers]) -> tuple[Numbers, Numbers]:
    """Log rates [rung, 1, rate] and heights [rung, draw, rate] of ladders that differ in length."""
    longest = max(map(len, rates))
    places = [np.pad(np.log(own), (0, longest - len(own)), mode="edge") for own in rates]
    values = [np.pad(own, ((0, 0), (0, longest - own.shape[1])), constant_values=np.inf) for own in heights]
    return np.stack(places)[:, None, :], np.stack(values)


def _moved(x: Numbers, heights: Numbers, near: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Where the parabolas are lowest [rung, draw], and the curvature of a draw's, 0 where they do not bend upwards.

    Least squares of ``height = a_rung + b_rung x + c x^2``: place and slope of each rung are taken out of `x^2` and of
    the heights first, and what is left gives the one `c`.
    """
    known = np.where(near, heights, np.nan)
    above = known - np.nanmin(known, axis=2, keepdims=True)
    # What lies far above the best says little about where the lowest point is: cliffs are steeper than parabolas.
    weights = np.where(near, 1.0 / (1.0 + (above / (np.nanmedian(above, axis=2, keepdims=True) + TINY)) ** 2), 0.0)
    x, y = np.where(near, x, 0.0), np.where(near, above, 0.0)

    def centred(part: Numbers) -> Numbers:
        return np.asarray(part - (weights * part).sum(axis=2, keepdims=True) / weights.sum(axis=2, keepdims=True))

    line, square, left = centred(x), centred(x**2), centred(y)
    spread = (weights * line**2).sum(axis=2, keepdims=True) + TINY
    bowl = square - line * (weights * line * square).sum(axis=2, keepdims=True) / spread
    curvature = (weights * bowl * left).sum(axis=(0, 2)) / ((weights * bowl**2).sum(axis=(0, 2)) + TINY)
    curvature = np.where(curvature > FLAT, curvature, 0.0)
    safe = np.where(curvature > 0, curvature, 1.0)
    slope = (weights * line * (left - safe[:, None] * square)).sum(axis=2) / spread[..., 0]
    return -slope / (2 * safe), curvature
