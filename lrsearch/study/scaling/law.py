"""The line through the lowest points of the rungs: log rate against log axis, its slope shrunk towards a prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lrsearch.study.scaling.prior import Prior
from lrsearch.study.scaling.valley import Numbers, Valley

Limits = tuple[float, float]
Z = 1.96


@dataclass(frozen=True)
class Law:
    """``log lr = level + slope * log(at / reference)`` with what is not known about it.

    Attributes:
        reference: The longest rung.
        level: Log rate there.
        slope: Posterior mean.
        covariance: Of level and slope.
        prior: What the slope was shrunk towards, and how far real optima stray from a line.
        unshrunk: The slope by least squares, without a prior.
        bend: How many standard errors the middle rungs are off the line; 0 for two rungs.
        bent: By how much, in log rate, a bent line would miss the target.
    """

    reference: float
    level: float
    slope: float
    covariance: Numbers
    prior: Prior
    unshrunk: float
    bend: float
    bent: float

    @property
    def slope_interval(self) -> Limits:
        half = Z * float(np.sqrt(self.covariance[1, 1]))
        return self.slope - half, self.slope + half

    def place(self, at: float) -> float:
        """Log rate at a place on the axis.

        Args:
            at: The place.
        """
        return self.level + self.slope * float(np.log(at / self.reference))

    def spread(self, at: float) -> float:
        """Standard deviation of the true log optimum around `place`.

        It grows with the distance from the rungs twice: the slope is not known, and beyond the rungs it changes.

        Args:
            at: The place.
        """
        far = float(np.log(at / self.reference))
        row = np.array([1.0, far])
        beyond = (self.prior.drift * max(abs(far), 0.0)) ** 2
        return float(np.sqrt(row @ self.covariance @ row + self.prior.scatter**2 + beyond))

    def interval(self, at: float) -> Limits:
        """95 % interval of the best rate at a place.

        Args:
            at: The place.
        """
        half = Z * self.spread(at)
        return float(np.exp(self.place(at) - half)), float(np.exp(self.place(at) + half))


def variances(valleys: Sequence[Valley]) -> Numbers:
    """Variance of each rung's optimum from seeds, half its own and half that of all rungs: few seeds tell it badly.

    Args:
        valleys: One per rung.
    """
    own = np.array([valley.variance for valley in valleys])
    return np.asarray((own + own.mean()) / 2)


def fit(valleys: Sequence[Valley], to: float, prior: Prior) -> Law:
    """Weighted least squares with a normal prior on the slope and none on the level.

    Args:
        valleys: One per rung, at least two.
        to: The target, where a bend would do its harm.
        prior: Of the slope.
    """
    ats = np.array([valley.rung.at for valley in valleys])
    optima = np.array([valley.optimum for valley in valleys])
    reference = float(ats.max())
    x = np.log(ats / reference)
    noise = variances(valleys) + prior.scatter**2
    design = np.stack([np.ones_like(x), x], axis=1)
    spread = _spread(design, noise, optima, prior)
    precision = (design.T / noise) @ design + np.diag([0.0, spread**-2])
    covariance = np.linalg.inv(precision)
    level, slope = covariance @ ((design.T / noise) @ optima + np.array([0.0, prior.slope / spread**2]))
    unshrunk = float(np.polyfit(x, optima, 1)[0])
    return Law(
        reference, float(level), float(slope), covariance, prior, unshrunk, *_bend(x, optima, noise, to / reference)
    )


def _spread(design: Numbers, noise: Numbers, optima: Numbers, prior: Prior) -> float:
    """The prior's standard deviation, wider where the rungs contradict it: a task of another kind is not shrunk."""
    covariance = np.linalg.inv((design.T / noise) @ design)
    own = float((covariance @ (design.T / noise) @ optima)[1])
    return max(prior.spread, float(np.sqrt(max((own - prior.slope) ** 2 - covariance[1, 1], 0.0))))


def _bend(x: Numbers, optima: Numbers, noise: Numbers, ratio: float) -> tuple[float, float]:
    """How sure a square term is, and how much it would move the target away from the straight line."""
    if len(x) < 3:
        return 0.0, 0.0
    design = np.stack([np.ones_like(x), x, x**2], axis=1)
    covariance = np.linalg.inv((design.T / noise) @ design)
    square = covariance @ (design.T / noise) @ optima
    straight = np.polyfit(x, optima, 1, w=1 / np.sqrt(noise))
    far = float(np.log(ratio))
    missed = float(square @ np.array([1.0, far, far**2]) - np.polyval(straight, far))
    return float(square[2] / np.sqrt(covariance[2, 2])), missed
