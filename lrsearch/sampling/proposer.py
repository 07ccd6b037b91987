"""Points of the search space, trial by trial: what every sampler answers, and the two samplers that learn nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from lrsearch.storage.past_trials import PastTrial

BLOCK = 16
"""Trials with neighbouring numbers that are asked for together: a sampler that learns looks at the past once for all.

Blocks begin at multiples of it, so that what a trial is given depends on its number, not on who else is asked for.
"""

Point = Callable[[str, BaseDistribution], Any]
"""Says the value of a parameter; asked for the learning rate first, then the scheduler type, then its parameters."""


class Proposer(Protocol):
    """Proposes settings for the trials of one study.

    What it proposes depends on the study's seed, the trial's number, and the trials that it is told of; on nothing that
    a restart or another process would change.
    """

    learns: bool
    """Whether earlier trials matter at all; if not, nobody need read them."""

    def learn(self, told: Sequence[PastTrial]) -> None:
        """Take note of the trials that have ended.

        Args:
            told: All of them, by number.
        """

    def propose(self, numbers: Sequence[int], pending: Sequence[PastTrial]) -> list[Point]:
        """A point for each of some trials. Nothing is computed for a point that is never asked.

        Args:
            numbers: The trials' numbers; all in one block.
            pending: Trials that have not ended, these among them if some of their settings are fixed.
        """


class Uniform:
    """Settings drawn without regard to other trials.

    Args:
        seed: The study's seed.
    """

    learns = False

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def learn(self, told: Sequence[PastTrial]) -> None:
        """See `Proposer.learn`; nothing is."""

    def propose(self, numbers: Sequence[int], pending: Sequence[PastTrial]) -> list[Point]:
        """See `Proposer.propose`."""
        return [self.point(number) for number in numbers]

    def point(self, number: int) -> Point:
        """The point of one trial."""
        rng = np.random.default_rng([self._seed, number])
        return lambda _, distribution: at(distribution, rng.random())


class Sobol:
    """Point n of a scrambled Sobol sequence for trial n, with one dimension for every parameter of the space.

    Optuna's own counts its points in the storage, where two processes can take the same one, and leaves parameters
    that not every trial has to chance. Source: Sobol (1967), scrambled as in Owen (1998), from scipy.

    Args:
        names: All parameters of the space.
        seed: Decides the scrambling.
    """

    learns = False

    def __init__(self, names: Sequence[str], seed: int) -> None:
        self._dimension = {name: index for index, name in enumerate(names)}
        self._seed = seed
        self._shares = np.empty((0, len(names)))

    def learn(self, told: Sequence[PastTrial]) -> None:
        """See `Proposer.learn`; nothing is."""

    def propose(self, numbers: Sequence[int], pending: Sequence[PastTrial]) -> list[Point]:
        """See `Proposer.propose`."""
        return [partial(self._value, number) for number in numbers]

    def _value(self, number: int, name: str, distribution: BaseDistribution) -> Any:
        if number >= len(self._shares):
            from scipy.stats.qmc import Sobol as Sequence  # half a second that no other sampler should wait for

            # The first 2^m points are the same however many are drawn.
            power = max(BLOCK, number + 1).bit_length()
            points = Sequence(len(self._dimension), scramble=True, rng=np.random.default_rng(self._seed))
            self._shares = points.random_base2(power)
        return at(distribution, float(self._shares[number, self._dimension[name]]))


def at(distribution: BaseDistribution, share: float) -> Any:
    """The value below which a share of a distribution lies.

    Args:
        distribution: Of floats, integers or choices.
        share: From 0 to 1.
    """
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[min(int(share * len(distribution.choices)), len(distribution.choices) - 1)]
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    integer = isinstance(distribution, IntDistribution)
    # Each integer stands for the interval around it, so that both ends are as likely as the others.
    low, high = distribution.low - 0.5 * integer, distribution.high + 0.5 * integer
    value = low * (high / low) ** share if distribution.log else low + (high - low) * share
    kept = min(max(value, distribution.low), distribution.high)
    return round(kept) if integer else float(kept)
