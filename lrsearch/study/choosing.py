"""Which finalist is recommended, and by how much having been picked flatters it. Numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
"""Bootstrap samples: the spread of what is picked is known to 2 %."""
TOSSES = 10_000
"""Bootstrap samples of the seeds: the share of a coin toss is known to 0.01."""
LEFT_OUT = 0.632
"""The share of the seeds, on average, that a bootstrap sample has; those that it leaves out weigh so much."""

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Flattery:
    """What being picked by some seeds and rows does to a mean over the same seeds and rows.

    Attributes:
        mean: By how much it is too low, on average.
        widening: How many times larger the standard error is than that of a mean that was not picked.
    """

    mean: float
    widening: float


@dataclass(frozen=True, eq=False)
class Choice:
    """The choice among some contenders, and what it would have been on other seeds and rows.

    The rule: of the contenders whose mean is within the margin of the best mean, the simplest is taken; among equally
    simple ones the one with the better mean.

    Bootstrap samples of seeds and rows pick as all of them have picked. What a sample picks is compared with itself on
    all seeds and rows, which says too little, because the sample's own are among them, and on those that the sample
    left out, which says too much, because fewer different ones have picked. Both count, as in Efron's .632 estimator.
    Of a difference only the first does: what the second adds to its correction is mostly noise.

    Sources: Owen and Eckles, "Bootstrapping data arrays of arbitrary order" (2012), for samples of two factors; Efron,
    "Estimating the error rate of a prediction rule: improvement on cross-validation" (1983); for the choice among
    settings Tsamardinos, Greasidou and Borboudakis, "Bootstrapping the out-of-sample predictions for efficient and
    accurate cross-validation" (2018). Simulated in `row_coverage.py` and `judged_coverage.py` of
    `tests/benchmarks`.

    Attributes:
        cube: What each contender came to, smaller is better; one block where rows are not told apart; NaN on seeds
            that are not its own; [contenders, seeds, blocks].
        complexities: How simple each is, simplest first.
        margin: A difference that does not matter.
    """

    cube: Numbers
    complexities: Sequence[Any]
    margin: float

    @cached_property
    def means(self) -> Numbers:
        """Of each contender; [contenders]."""
        return np.asarray(np.nanmean(self.cube, axis=(1, 2)))

    def pick(self, among: Sequence[int]) -> int:
        """The place of the one that is taken.

        Args:
            among: Places that may be taken.
        """
        return int(self._picked(self.means[None], among)[0])

    def flattery(self, among: Sequence[int]) -> Flattery:
        """How much worse the picked contender is on further seeds and rows than on those that picked it.

        Args:
            among: Places that it was picked from.
        """
        seen, left_out = self._samples
        picked, every = self._picked(seen, among), np.arange(len(seen))
        taken = seen[every, picked]
        too_low, unseen = self.means[picked] - taken, left_out[every, picked] - taken
        mean = float(too_low.mean())
        if (known := np.isfinite(unseen)).any():
            mean = (1 - LEFT_OUT) * mean + LEFT_OUT * float(unseen[known].mean())
        return Flattery(max(mean, 0.0), _widening(too_low, seen[:, self.pick(among)]))

    def flattery_of_difference(self, worse: Sequence[int], better: Sequence[int]) -> Flattery:
        """The same of how much one picked contender is behind another one.

        Args:
            worse: Places that the one was picked from.
            better: Places that the other was picked from, which is subtracted.
        """
        seen, _ = self._samples
        first, second, every = self._picked(seen, worse), self._picked(seen, better), np.arange(len(seen))
        too_low = self.means[first] - self.means[second] - (seen[every, first] - seen[every, second])
        return Flattery(
            float(too_low.mean()), _widening(too_low, seen[:, self.pick(worse)] - seen[:, self.pick(better)])
        )

    def _picked(self, means: Numbers, among: Sequence[int]) -> Places:
        """What the rule takes in each of some samples [samples, contenders]."""
        own = means[:, list(among)]
        near = own <= own.min(axis=1, keepdims=True) + self.margin
        levels = sorted({self.complexities[place] for place in among})
        level = np.array([levels.index(self.complexities[place]) for place in among])
        simplest = np.where(near, level, len(levels)).min(axis=1, keepdims=True)
        taken = np.where(near & (level == simplest), own, np.inf).argmin(axis=1)
        places: Places = np.asarray(among, dtype=np.int64)[taken]
        return places

    @cached_property
    def _samples(self) -> tuple[Numbers, Numbers]:
        """Means over bootstrap samples, and over what they leave out, NaN where that is nothing.

        Both are [samples, contenders].
        """
        contenders, seeds, blocks = self.cube.shape
        rng = np.random.default_rng(0)
        own: Mask = np.asarray(np.isfinite(self.cube).all(axis=2))
        of_seeds, of_blocks = _drawn_alike(rng, own), _drawn(rng, blocks)
        no_blocks = blocks == 1
        flat = np.where(own[..., None], self.cube, 0.0).reshape(contenders * seeds, blocks)

        def mean(seed_weights: Numbers, block_weights: Numbers) -> Numbers:
            per_seed = (flat @ _shares(block_weights).T).reshape(contenders, seeds, -1)
            sums, totals = np.einsum("cst,ts->tc", per_seed, seed_weights), seed_weights @ own.T
            means: Numbers = np.divide(sums, totals, out=np.full_like(sums, np.nan), where=totals > 0)
            return means

        left_out = of_blocks if no_blocks else (of_blocks == 0).astype(np.float64)
        return mean(of_seeds, of_blocks), mean((of_seeds == 0).astype(np.float64), left_out)


def _widening(too_low: Numbers, fixed: Numbers) -> float:
    """How many times larger the error is than that of a mean that was not picked.

    Args:
        too_low: Of what each sample picks, by how much it is too low there; [samples].
        fixed: What all seeds and rows have picked, in each sample; [samples].
    """
    # Drawn both ways, what neither seed nor row explains varies too much; so only the ratio is taken from it.
    usual = float(fixed.std())
    return max(float(too_low.std()) / usual, 1.0) if usual > 0 else 1.0


def chance_of_being_best(values: Numbers) -> list[float]:
    """The share of bootstrap samples of the seeds in which each row has the lowest mean; equal ones share.

    Args:
        values: A row per contender, all on the same seeds; [contenders, seeds].
    """
    seeds = values.shape[1]
    drawn = np.random.default_rng(0).integers(0, seeds, size=(TOSSES, seeds))
    means = np.stack([row[drawn].mean(axis=1) for row in values])
    best = means == means.min(axis=0)
    return [float(share) for share in (best / best.sum(axis=0)).mean(axis=1)]


def _drawn(rng: np.random.Generator, number: int) -> Numbers:
    """How often each of so many things is drawn in each sample; [samples, things]."""
    return rng.multinomial(number, np.full(number, 1 / number), size=RESAMPLES).astype(np.float64)


def _drawn_alike(rng: np.random.Generator, own: Mask) -> Numbers:
    """How often each seed is drawn in each sample: as many as there are, among those that the same contenders have.

    So each contender has as many seeds in every sample as it has in all.

    Args:
        rng: Draws.
        own: Which seeds each contender has; [contenders, seeds].
    """
    drawn = np.empty((RESAMPLES, own.shape[1]))
    _, kinds = np.unique(own, axis=1, return_inverse=True)
    for kind in range(int(kinds.max()) + 1):
        alike = kinds.ravel() == kind
        drawn[:, alike] = _drawn(rng, int(alike.sum()))
    return drawn


def _shares(weights: Numbers) -> Numbers:
    totals = weights.sum(axis=1, keepdims=True)
    shares: Numbers = np.divide(weights, totals, out=np.full_like(weights, np.nan), where=totals > 0)
    return shares
