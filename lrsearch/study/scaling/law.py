"""The line through the lowest points of the rungs: log rate against log axis, its slope shrunk towards a prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lrsearch.study.scaling.parabola import Numbers
from lrsearch.study.scaling.prior import Prior
from lrsearch.study.scaling.valley import Valley, covariance, error, unit

Limits = tuple[float, float]
Z = 1.96
HIDDEN = 4.0
"""Where seeds differ much from rate to rate, they hide what of a valley is no parabola, such as a second one, and its
lowest point is elsewhere more often than resamples of the seeds say. With two rates told apart with a standard error of
a share e of the value, variances are multiplied by 1 + (HIDDEN e)^2."""


@dataclass(frozen=True)
class Law:
    """``log lr = level + slope * log(at / reference)`` with what is not known about it.

    Attributes:
        reference: The longest rung.
        level: Log rate there.
        slope: Posterior mean.
        covariance: Of level and slope.
        blur: What standard deviations are multiplied by, the covariance's included, for what seeds hide (`HIDDEN`).
        prior: What the slope was shrunk towards, and how far real optima stray from a line.
        unshrunk: The slope by least squares, without a prior.
        bend: How many standard errors the middle rungs are off the line; 0 for two rungs.
        bent: By how much, in log rate, a bent line would miss the target.
        curvature: See `Valley`; of the rungs together.
        sides: Half of each rung's 95 % interval, in log rate; from seeds alone.
    """

    reference: float
    level: float
    slope: float
    covariance: Numbers
    blur: float
    prior: Prior
    unshrunk: float
    bend: float
    bent: float
    curvature: float
    sides: Numbers

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
        row = np.array([1.0, float(np.log(at / self.reference))])
        return float(np.hypot(np.sqrt(row @ self.covariance @ row), self.stray(at)))

    def stray(self, at: float) -> float:
        """The part of `spread` that no seed takes away: optima are not quite on lines.

        Args:
            at: The place.
        """
        return self.blur * float(np.hypot(self.prior.scatter, self.prior.drift * np.log(at / self.reference)))

    def loss(self, off: float) -> float:
        """What a rate costs that is off the best one: a share of the value, see `Valley.curvature`.

        Args:
            off: By how much, in log rate; or the standard deviation of that, for what is lost on average.
        """
        return self.curvature * off**2

    def interval(self, at: float) -> Limits:
        """95 % interval of the best rate at a place.

        Args:
            at: The place.
        """
        half = Z * self.spread(at)
        return float(np.exp(self.place(at) - half)), float(np.exp(self.place(at) + half))


def fit(found: Sequence[Valley], to: float, prior: Prior) -> Law:
    """Generalised least squares with a normal prior on the slope and none on the level.

    Args:
        found: One per rung, at least two.
        to: The target, where a bend would do its harm.
        prior: Of the slope.
    """
    ats = np.array([own.rung.at for own in found])
    optima = np.array([own.optimum for own in found])
    reference = float(ats.max())
    x = np.log(ats / reference)
    seeds = covariance(found)
    weights: Numbers = np.asarray(np.linalg.inv(seeds + prior.scatter**2 * np.eye(len(x))))
    line = _Fit.of(x, optima, weights, 1)
    spread = _spread(line, prior)
    precision = line.precision + np.diag([0.0, spread**-2])
    posterior: Numbers = np.asarray(np.linalg.inv(precision))
    level, slope = posterior @ (line.precision @ line.terms + np.array([0.0, prior.slope / spread**2]))
    unshrunk = float(np.polyfit(x, optima, 1)[0])
    bend, bent = _bend(x, optima, weights, line, to / reference)
    sides: Numbers = np.asarray(Z * np.sqrt(np.diag(seeds)))
    blur = _blur(found[-1])
    return Law(
        reference,
        float(level),
        float(slope),
        posterior * blur**2,
        blur,
        prior,
        unshrunk,
        bend,
        bent,
        found[-1].curvature,
        sides,
    )


def _blur(longest: Valley) -> float:
    """1 where the rates have no seeds in common: what these hide is not known then."""
    noise = error(longest.rung) / unit(longest.rung.means)
    return float(np.hypot(1.0, HIDDEN * noise)) if np.isfinite(noise) else 1.0


@dataclass(frozen=True)
class _Fit:
    """Powers of x through the optima.

    Attributes:
        terms: Of 1, x, ...
        precision: Inverse of their covariance.
    """

    terms: Numbers
    precision: Numbers

    @classmethod
    def of(cls, x: Numbers, optima: Numbers, weights: Numbers, degree: int) -> _Fit:
        design = x[:, None] ** np.arange(degree + 1)
        precision = design.T @ weights @ design
        return cls(np.asarray(np.linalg.solve(precision, design.T @ weights @ optima)), precision)

    def error(self, term: int) -> float:
        return float(np.sqrt(np.linalg.inv(self.precision)[term, term]))

    def at(self, x: float) -> float:
        return float(self.terms @ x ** np.arange(len(self.terms)))


def _spread(line: _Fit, prior: Prior) -> float:
    """The prior's standard deviation, wider where the rungs contradict it: a task of another kind is not shrunk."""
    beyond = (line.terms[1] - prior.slope) ** 2 - line.error(1) ** 2
    return max(prior.spread, float(np.sqrt(max(beyond, 0.0))))


def _bend(x: Numbers, optima: Numbers, weights: Numbers, line: _Fit, ratio: float) -> tuple[float, float]:
    """How sure a square term is, and how much it would move the target away from the straight line."""
    if len(x) < 3:
        return 0.0, 0.0
    bent = _Fit.of(x, optima, weights, 2)
    far = float(np.log(ratio))
    return float(bent.terms[2] / bent.error(2)), bent.at(far) - line.at(far)
