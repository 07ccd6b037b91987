"""The valley of one rung: value against log rate, its lowest point, and how far seeds move that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

DRAWS = 400
"""Resamples of the seeds."""
WINDOW = np.log(4.2)
"""A parabola is fitted to rates within this distance of the lowest point: a valley is a parabola only near there."""
LOOKS = 3
"""How often the window is moved to the lowest point of the parabola before."""


@dataclass(frozen=True)
class Rung:
    """What one length of training showed.

    Attributes:
        at: Its place on the axis, such as 30 epochs.
        rates: Initial rates, ascending.
        values: What each rate came to on each seed, smaller is better; [rate, seed]. Infinite where it diverged, NaN
            where it was not trained.
    """

    at: float
    rates: Numbers
    values: Numbers

    @property
    def seeds(self) -> int:
        return int(self.values.shape[1])

    @property
    def means(self) -> Numbers:
        """Mean over the seeds that a rate was trained on."""
        return mean(self.values)


@dataclass(frozen=True)
class Valley:
    """Where a rung is lowest.

    Attributes:
        rung: The rung.
        optimum: Log rate of the lowest point.
        draws: The same for each resample of the seeds.
        won: Share of the resamples that each rate has won.
        edge: Share of resamples in which the lowest or the highest rate was the best one.
        low_edge: Whether that is the lowest rate.
    """

    rung: Rung
    optimum: float
    draws: Numbers
    won: Numbers
    edge: float
    low_edge: bool

    @property
    def variance(self) -> float:
        """Of the optimum, from seeds; few seeds resampled vary too little, by n / (n - 1)."""
        seeds = self.rung.seeds
        low, high = np.percentile(self.draws, [15.87, 84.13])  # a few resamples in another valley are not its width
        return float(((high - low) / 2) ** 2 * seeds / max(seeds - 1, 1))


def mean(values: Numbers) -> Numbers:
    """Mean over seeds; infinite where one diverged.

    Args:
        values: [..., rate, seed], NaN where it was not trained.
    """
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.asarray(np.where(known.any(axis=-1), total / np.maximum(known.sum(axis=-1), 1), np.inf))


def height(means: Numbers) -> Numbers:
    """Means on the scale on which valleys are compared: logarithms, where all are positive.

    Args:
        means: One per rate; infinite ones stay so.
    """
    if not _positive(means):
        return means
    finite = np.isfinite(means)
    return np.asarray(np.where(finite, np.log(means, where=finite, out=np.zeros_like(means)), np.inf))


def lowest(rates: Numbers, heights: Numbers) -> Numbers:
    """Log rate of the lowest point: vertex of a parabola through the rates around the best one.

    Where they are too few, or do not bend upwards, it is the best rate itself.

    Args:
        rates: Ascending.
        heights: [draw, rate]; at least one of each draw is finite.

    Returns:
        One per draw.
    """
    places = np.log(rates)
    best = places[np.argmin(heights, axis=1)]
    centre, settled = best.copy(), np.ones(len(heights), dtype=bool)
    for _ in range(LOOKS):
        x = places - centre[:, None]
        near = np.isfinite(heights) & (np.abs(x) <= WINDOW)
        found, curved = _vertex(x, heights, near)
        settled &= curved & (near.sum(axis=1) >= 3)
        first, last = (np.where(near, x, far).T for far in (np.inf, -np.inf))
        centre += np.where(settled, np.clip(found, first.min(axis=0), last.max(axis=0)), 0.0)
    return np.asarray(np.where(settled, centre, best))


def _vertex(x: Numbers, heights: Numbers, near: NDArray[np.bool_]) -> tuple[Numbers, NDArray[np.bool_]]:
    """Vertex of the parabola through some places of each draw, and whether it bends upwards."""
    y = np.where(near, heights, np.nan)
    above = y - np.nanmin(y, axis=1, keepdims=True)
    # What lies far above the best says little about where the lowest point is: cliffs are steeper than parabolas.
    weights = np.where(near, 1.0 / (1.0 + (above / (np.nanmedian(above, axis=1, keepdims=True) + 1e-12)) ** 2), 0.0)
    y, x = np.where(near, above, 0.0), np.where(near, x, 0.0)
    powers = x[..., None] ** np.arange(3)
    normal = np.einsum("dr,dri,drj->dij", weights, powers, powers) + 1e-12 * np.eye(3)
    _, slope, square = np.linalg.solve(normal, np.einsum("dr,dri,dr->di", weights, powers, y)[..., None])[..., 0].T
    curved = square > 1e-9
    return np.where(curved, -slope / (2 * np.where(curved, square, 1.0)), 0.0), curved


def valley(rung: Rung, seed: int = 0) -> Valley:
    """The lowest point of a rung, and of resamples of its seeds.

    Args:
        rung: At least one rate has a finite mean.
        seed: Of the resamples.
    """
    own = height(rung.means)
    picks = np.random.default_rng(seed).integers(0, rung.seeds, (DRAWS, rung.seeds))
    drawn = height(mean(rung.values[:, picks].transpose(1, 0, 2)))
    heights = np.where(np.isfinite(drawn).any(axis=1, keepdims=True), drawn, own)
    best = np.argmin(heights, axis=1)
    won = np.bincount(best, minlength=len(rung.rates)) / DRAWS
    own_lowest = float(lowest(rung.rates, own[None])[0])
    edge, low_edge = float(won[0] + won[-1]), bool(won[0] >= won[-1])
    return Valley(rung, own_lowest, lowest(rung.rates, heights), won, edge, low_edge)


def _positive(means: Numbers) -> bool:
    return bool((means > 0).all())
