"""What earlier studies found, as a prior of a sampler: it leads at first, and fades with every trial.

Serves `warm_starts.py`, whose measurements are why lrsearch does not have it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from lrsearch.sampling.parzen import Mixture
from lrsearch.sampling.proposer import Point, Proposer
from lrsearch.sampling.space import Space
from lrsearch.storage.past_trials import PastTrial

SHARE = 0.5
"""So many of the first trials follow the prior; the others are the sampler's own, in case that the prior is wrong."""
HALVED_AFTER = 16
"""After so many trials the share is half of what it was."""
SALT = 29
"""Keeps the prior's random numbers apart from those of samplers, which have the same seed."""


class WithPrior:
    """A sampler that is led by what earlier studies found to be good.

    Which trials follow the prior depends on their numbers alone, so that a study stays reproducible. They are drawn
    from a mixture with a kernel around each of the earlier settings, and one that covers the space (`parzen.Mixture`).

    Args:
        own: The study's own sampler.
        space: What is searched.
        good: Settings that earlier studies found to be good, as Optuna parameters; what has no place in the space is
            drawn from all of an axis.
        seed: The study's seed.
    """

    def __init__(self, own: Proposer, space: Space, good: Iterable[Mapping[str, Any]], seed: int) -> None:
        self._own = own
        self._seed = seed
        self._axes = {name: axis for name, axis in space.all_distributions().items() if not axis.single()}
        rows = [[_place(axis, params.get(name)) for name, axis in self._axes.items()] for params in good]
        points = np.array(rows, dtype=np.float64).reshape(len(rows), len(self._axes))
        self._mixture = Mixture(list(self._axes.values()), points)

    @property
    def learns(self) -> bool:
        """See `Proposer.learns`."""
        return self._own.learns

    def learn(self, told: Sequence[PastTrial]) -> None:
        """See `Proposer.learn`."""
        self._own.learn(told)

    def propose(self, numbers: Sequence[int], pending: Sequence[PastTrial]) -> list[Point]:
        """See `Proposer.propose`."""
        points = self._own.propose(numbers, pending)
        return [self._led(number, point) for number, point in zip(numbers, points, strict=True)]

    def _led(self, number: int, otherwise: Point) -> Point:
        """The point of a trial: the prior's, or the sampler's own."""
        rng = np.random.default_rng([self._seed, number, SALT])
        if not self._axes or rng.random() >= SHARE * 0.5 ** (number / HALVED_AFTER):
            return otherwise
        row = self._mixture.complete(rng, np.full((1, len(self._axes)), math.nan), 1)[0]
        drawn = {
            name: axis.to_external_repr(float(value))
            for (name, axis), value in zip(self._axes.items(), row, strict=True)
        }
        return partial(_value, drawn, otherwise)


def _value(drawn: Mapping[str, Any], otherwise: Point, name: str, axis: BaseDistribution) -> Any:
    return drawn[name] if name in drawn else otherwise(name, axis)


def _place(axis: BaseDistribution, value: Any) -> float:
    """A value as a number on its axis; NaN where it has no place there."""
    if value is None or isinstance(value, (list, dict)):
        return math.nan
    if isinstance(axis, CategoricalDistribution):
        return float(axis.choices.index(value)) if value in axis.choices else math.nan
    return float(value) if not isinstance(value, str) and axis._contains(float(value)) else math.nan
