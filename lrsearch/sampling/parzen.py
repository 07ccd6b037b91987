"""Densities for the tree-structured Parzen estimator: a mixture with one kernel around each trial's settings.

Points are rows of numbers with one column for each parameter: a number as it is, a choice as its position. A parameter
that a trial does not have, because it belongs to another scheduler type, is NaN.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

Numbers = NDArray[np.float64]
PLATEAU = 25
"""So many of the newest trials weigh the same; older ones weigh less the older they are."""
NARROWEST = 100.0
"""No kernel is narrower than this share of its axis."""


class Kernels(Protocol):
    """The kernels of one parameter; the last one is the prior, which covers the whole axis."""

    def sample(self, rng: np.random.Generator, chosen: NDArray[np.intp]) -> Numbers:
        """A value from each of the chosen kernels; [chosen]."""

    def log_density(self, values: Numbers) -> Numbers:
        """Of each value under each kernel; [values, kernels]."""


class Mixture:
    """A mixture of products: each trial is one kernel, and the prior is one more.

    Where a trial lacks a parameter its kernel is the prior's; where a point lacks one only its others count. So trials
    of one scheduler type say nothing about another type's parameters, and a learning rate is judged together with the
    parameters of the schedule it was used with.

    Sources: Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (2011); Watanabe, "Tree-Structured Parzen
    Estimator: Understanding Its Algorithm Components" (2023). Weights and widths are those of Optuna's multivariate
    estimator.

    Args:
        axes: The parameters.
        points: Settings of trials, oldest first; [trials, parameters].
    """

    def __init__(self, axes: list[BaseDistribution], points: Numbers) -> None:
        self._kernels = [kernels(axis, points[:, column]) for column, axis in enumerate(axes)]
        weights = np.append(by_age(len(points)), 1.0)
        self._log_weights = np.log(weights / weights.sum())

    def complete(self, rng: np.random.Generator, points: Numbers, times: int) -> Numbers:
        """Draw what points lack, given what they have.

        Args:
            rng: Draws.
            points: NaN where a value is to be drawn; [points, parameters].
            times: How often for each.

        Returns:
            The first point's completions, then the second's, and so on; [points * times, parameters].
        """
        # What a point has decides how likely each kernel is for it. One kernel is drawn by these shares; what the point
        # lacks is drawn from that kernel, so that parameters that go together stay together.
        shares = self._log_densities(points)
        # Less the largest logarithm, which cancels out: `exp` of all of them may be 0 far from every kernel.
        shares = np.exp(shares - shares.max(axis=1, keepdims=True)).cumsum(axis=1)
        wanted = rng.random((len(points), times)) * shares[:, -1:]
        chosen = np.concatenate([np.searchsorted(own, at) for own, at in zip(shares, wanted, strict=True)])
        drawn = np.column_stack([own.sample(rng, chosen) for own in self._kernels])
        repeated = points.repeat(times, axis=0)
        return np.where(np.isnan(repeated), drawn, repeated)

    def log_density(self, points: Numbers) -> Numbers:
        """The logarithm of the density at each point; [points].

        Args:
            points: NaN where a parameter is not to be looked at; [points, parameters].
        """
        # log(sum(exp(parts))), with the largest part taken out so that the sum is at least 1.
        parts = self._log_densities(points)
        largest = parts.max(axis=1)
        parts -= largest[:, None]
        density: Numbers = largest + np.log(np.exp(parts, out=parts).sum(axis=1))
        return density

    def _log_densities(self, points: Numbers) -> Numbers:
        """Of each point under each kernel; [points, kernels]."""
        total: Numbers = np.tile(self._log_weights, (len(points), 1))
        for column, own in enumerate(self._kernels):
            there = np.flatnonzero(~np.isnan(points[:, column]))
            # Points that are completions of the same one have many values in common.
            values, places = np.unique(points[there, column], return_inverse=True)
            density = own.log_density(values)
            if len(there) == len(points):
                total += density[places]
            elif len(there):
                total[there] += density[places]
        return total


def by_age(trials: int) -> Numbers:
    """Weights of trials, oldest first: the newest weigh 1, the oldest next to nothing.

    Args:
        trials: How many.
    """
    if trials <= PLATEAU:
        return np.ones(trials)
    return np.concatenate([np.linspace(1.0 / trials, 1.0, trials - PLATEAU), np.ones(PLATEAU)])


def kernels(axis: BaseDistribution, values: Numbers) -> Kernels:
    """The kernels of one parameter around the values that trials had, and the prior.

    Args:
        axis: The parameter's distribution.
        values: NaN where a trial does not have it; [trials].
    """
    if isinstance(axis, CategoricalDistribution):
        return Categories(len(axis.choices), values)
    assert isinstance(axis, (FloatDistribution, IntDistribution))
    return Normals(axis, values)


class Categories:
    """Each kernel prefers its trial's choice.

    Args:
        choices: How many there are.
        values: Position of each trial's choice, or NaN.
    """

    def __init__(self, choices: int, values: Numbers) -> None:
        shares = np.full((len(values) + 1, choices), 1.0 / (len(values) + 1))
        there = np.flatnonzero(~np.isnan(values))
        shares[there, values[there].astype(int)] += 1.0
        # Without a trial's choice, and in the prior's row, all choices stay equally likely.
        self._shares = shares / shares.sum(axis=1, keepdims=True)

    def sample(self, rng: np.random.Generator, chosen: NDArray[np.intp]) -> Numbers:
        """See `Kernels.sample`."""
        reached = self._shares[chosen].cumsum(axis=1) < rng.random((len(chosen), 1))
        drawn: Numbers = np.minimum(reached.sum(axis=1), self._shares.shape[1] - 1).astype(np.float64)
        return drawn

    def log_density(self, values: Numbers) -> Numbers:
        """See `Kernels.log_density`."""
        density: Numbers = np.log(self._shares).T[values.astype(int)]
        return density


class Normals:
    """Normal kernels, cut off at the ends of the axis; a log axis is looked at in logarithms.

    A kernel is as wide as the larger gap to its neighbours. Densities are those of the logarithm on a log axis, and
    those of the interval around it for an integer.

    Args:
        axis: Bounds and scale.
        values: NaN where a trial does not have the parameter; [trials].
    """

    def __init__(self, axis: FloatDistribution | IntDistribution, values: Numbers) -> None:
        self._axis = axis
        self._half = 0.5 if isinstance(axis, IntDistribution) else 0.0
        self._low, self._high = self._scaled(np.array([axis.low - self._half, axis.high + self._half]))
        there = ~np.isnan(values)
        middles = self._scaled(np.clip(values[there], axis.low, axis.high))
        self._middles = np.full(len(values) + 1, (self._low + self._high) / 2)
        self._widths = np.full(len(values) + 1, self._high - self._low)
        self._middles[:-1][there] = middles
        self._widths[:-1][there] = self._gaps(middles)
        # What of each kernel lies within the bounds: a density is divided by it, so that it sums to 1 there.
        self._from = self._share(self._low)
        self._mass = self._share(self._high) - self._from

    def sample(self, rng: np.random.Generator, chosen: NDArray[np.intp]) -> Numbers:
        """See `Kernels.sample`."""
        from scipy.special import ndtri

        # The inverse of the distribution function at a uniform number, drawn only from the part within the bounds.
        shares = self._from[chosen] + rng.random(len(chosen)) * self._mass[chosen]
        scaled = self._middles[chosen] + self._widths[chosen] * ndtri(shares)
        values = np.exp(scaled) if self._axis.log else scaled
        drawn: Numbers = np.clip(np.rint(values) if self._half else values, self._axis.low, self._axis.high)
        return drawn

    def log_density(self, values: Numbers) -> Numbers:
        """See `Kernels.log_density`."""
        density: Numbers
        if self._half:
            ends = (self._share(self._scaled(values + side)[:, None]) for side in (self._half, -self._half))
            upper, lower = ends
            # Far from a kernel nothing is left of it; the prior is never far.
            with np.errstate(divide="ignore"):
                density = np.log(upper - lower) - np.log(self._mass)
            return density
        # -((x - middle) / width)^2 / 2 - log(width * mass * sqrt(2 pi)), in place: [values, kernels] may be large.
        density = self._scaled(values)[:, None] - self._middles
        density /= self._widths
        density *= density
        density *= -0.5
        density -= np.log(self._widths * self._mass * math.sqrt(2 * math.pi))
        return density

    def _scaled(self, values: Numbers) -> Numbers:
        return np.log(values) if self._axis.log else values

    def _share(self, scaled: Numbers) -> Numbers:
        """How much of each kernel lies below a value."""
        from scipy.special import ndtr  # a quarter of a second that no other sampler should wait for

        share: Numbers = ndtr((scaled - self._middles) / self._widths)
        return share

    def _gaps(self, middles: Numbers) -> Numbers:
        """The larger gap to a neighbour, within bounds; at the ends of the row that to its only neighbour."""
        if not len(middles):
            return middles
        order = np.argsort(middles, kind="stable")
        row = np.concatenate([[self._low], middles[order], [self._high]])
        gaps = np.diff(row)
        widths = np.maximum(gaps[:-1], gaps[1:])
        if len(middles) > 1:
            widths[0], widths[-1] = gaps[1], gaps[-2]
        span = self._high - self._low
        spread = np.empty_like(widths)
        spread[order] = np.clip(widths, span / min(NARROWEST, 2.0 + len(middles)), span)
        return spread
