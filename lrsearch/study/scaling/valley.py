"""The valleys of the rungs: value against log rate, their lowest points, and how far seeds move these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lrsearch.study.scaling.parabola import Numbers, bowls

DRAWS = 400
"""Resamples of the seeds."""
FAR = 2.5
"""Standard deviations from which on a resample is in another valley."""


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
        curvature: How much worse a rate is by the square of its distance in log rate, as a share of the value, or of
            the span of values where those are not all positive; 0 where no valley is seen.
    """

    rung: Rung
    optimum: float
    draws: Numbers
    won: Numbers
    edge: float
    low_edge: bool
    curvature: float

    @property
    def clipped(self) -> Numbers:
        """The draws, those far away moved in: a few resamples in another valley are not the width of this one."""
        low, middle, high = np.percentile(self.draws, [15.87, 50, 84.13])
        reach = FAR * (high - low) / 2
        return np.asarray(np.clip(self.draws, middle - reach, middle + reach))


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


def unit(means: Numbers) -> float:
    """What a difference of heights is measured by: 1 for logarithms, else the span of the values.

    Args:
        means: One per rate; at least one is finite.
    """
    return 1.0 if _positive(means) else float(np.ptp(means[np.isfinite(means)])) or 1.0


def error(rung: Rung) -> float:
    """Standard error of the difference of two rates on common seeds, pooled over the better half of the rates.

    Args:
        rung: At least one rate has a finite mean.

    Returns:
        In the unit of `height`; infinite where the rates have no two seeds in common.
    """
    heights = height(rung.means)
    finite = np.flatnonzero(np.isfinite(heights))
    better = finite[np.argsort(heights[finite])][: max(len(finite) // 2, 3)]
    own = rung.values[better]
    own = own[:, np.isfinite(own).all(axis=0)]
    if own.shape[1] < 2 or own.shape[0] < 2:
        return np.inf
    scaled = own
    if _positive(rung.means):  # of which a single value may be none
        scaled = np.log(own) if _positive(own) else own / rung.means[better][:, None]
    left = scaled - scaled.mean(axis=1, keepdims=True) - scaled.mean(axis=0) + scaled.mean()
    freedom = (own.shape[0] - 1) * (own.shape[1] - 1)
    return float(np.sqrt(2 * (left**2).sum() / freedom / own.shape[1]))


def lowest(rates: Numbers, heights: Numbers) -> Numbers:
    """Log rate of the lowest point of one rung, for itself.

    Args:
        rates: Ascending.
        heights: [draw, rate]; at least one of each draw is finite.

    Returns:
        One per draw.
    """
    return np.asarray(bowls([rates], [heights]).places[0])


def valleys(rungs: Sequence[Rung]) -> tuple[Valley, ...]:
    """The lowest points of the rungs, and of resamples of their seeds.

    Rungs with as many seeds are resampled alike: what a seed does to all rungs does not move the line's slope.

    Args:
        rungs: At least one rate of each has a finite mean.
    """
    own = [height(rung.means) for rung in rungs]
    drawn = [_resampled(rung, heights) for rung, heights in zip(rungs, own, strict=True)]
    together = [np.concatenate([one[None], draws]) for one, draws in zip(own, drawn, strict=True)]
    found = bowls([rung.rates for rung in rungs], together)
    steep = float(found.curvature[0])
    return tuple(_valley(rung, own, draws, steep) for rung, own, draws in zip(rungs, found.places, drawn, strict=True))


def _resampled(rung: Rung, own: Numbers) -> Numbers:
    """Heights of resamples of the seeds; [draw, rate]."""
    picks = np.random.default_rng(0).integers(0, rung.seeds, (DRAWS, rung.seeds))
    drawn = mean(rung.values[:, picks].transpose(1, 0, 2))
    heights = np.stack([height(means) for means in drawn])
    return np.where(np.isfinite(heights).any(axis=1, keepdims=True), heights, own)


def wins(rung: Rung) -> Numbers:
    """Share of resamples of the seeds that each rate wins.

    Args:
        rung: At least one rate has a finite mean.
    """
    return _shares(_resampled(rung, height(rung.means)))


def _shares(drawn: Numbers) -> Numbers:
    return np.bincount(np.argmin(drawn, axis=1), minlength=drawn.shape[1]) / len(drawn)


def _valley(rung: Rung, places: Numbers, drawn: Numbers, steep: float) -> Valley:
    won = _shares(drawn)
    edge, low_edge = float(won[0] + won[-1]), bool(won[0] >= won[-1])
    return Valley(rung, float(places[0]), places[1:], won, edge, low_edge, steep / unit(rung.means))


def covariance(found: Sequence[Valley]) -> Numbers:
    """Covariance of the rungs' lowest points, from seeds; [rung, rung].

    Few seeds resampled vary too little, by n / (n - 1); and n seeds say little of how n - 1 or more rungs go together,
    so that their covariances are shrunk by 1 / (n - 1)^2.

    Args:
        found: One per rung.
    """
    draws = np.stack([own.clipped for own in found])
    seeds = np.array([max(own.rung.seeds, 2) for own in found])
    inflated = np.sqrt(seeds / (seeds - 1))
    together = np.atleast_2d(np.cov(draws)) * np.outer(inflated, inflated)
    shrunk = together * (1 - 1 / (seeds.min() - 1) ** 2)
    np.fill_diagonal(shrunk, np.diag(together))
    return np.asarray(shrunk)


def _positive(means: Numbers) -> bool:
    return bool((means > 0).all())
