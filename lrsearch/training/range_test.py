"""What a learning-rate range test says: from the losses up a ramp of rates to a range worth searching.

The ramp is trained by `ramp`; nothing here knows torch. Source: Smith, "Cyclical Learning Rates for Training Neural
Networks" (2017), section 3.3; the exponential ramp and the smoothing are those of Gugger's and fastai's rate finders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrsearch.training.finding import Finding, judge

Numbers = NDArray[np.float64]

FEWEST_UPDATES = 50
"""With fewer, an average over a fortieth of the ramp is no average."""
LOOK_BACK = 1 / 40
"""Share of the ramp over which losses are averaged and slopes taken: of seven decades, less than a fifth of one."""
LIMIT = 4.0
"""A smoothed loss above this many times the best one so far may have diverged."""


@dataclass(frozen=True)
class SeedLosses:
    """What one network went through on its way up.

    Attributes:
        seed: Of its initial weights and data order.
        losses: Of each batch; the first before any update, each further one after an update at the next rate of the
            ramp. The one that told of divergence is not among them.
        diverged_at: Rate of the update after which it had diverged; None if it came to the end.
    """

    seed: int
    losses: tuple[float, ...]
    diverged_at: float | None


class Watch:
    """Collects the losses of one network up the ramp and says when to stop.

    Diverged is a loss that is not finite, or a smoothed one above `LIMIT` times the best so far *and* further above
    the first than the best is below it. The second half is for tasks that are learned almost completely: four times
    nearly nothing is no divergence.

    Args:
        rates: Of the ramp's updates, [updates].
        seed: For the record.
    """

    def __init__(self, rates: Numbers, seed: int) -> None:
        self._rates = rates
        self._seed = seed
        self._keep = kept_share(len(rates))
        self._losses: list[float] = []
        self._average = 0.0
        self._best = math.inf
        self._diverged_at: float | None = None

    def take(self, loss: float) -> bool:
        """Add the loss of the next batch.

        Args:
            loss: In the task's own unit.

        Returns:
            Whether more are wanted: the network has neither diverged nor come to the end.
        """
        count = len(self._losses)
        self._average = self._keep * self._average + (1 - self._keep) * loss
        smoothed = self._average / (1 - self._keep ** (count + 1))
        if not math.isfinite(smoothed) or smoothed > self._limit():
            self._diverged_at = float(self._rates[max(count - 1, 0)])
            return False
        self._best = min(self._best, smoothed)
        self._losses.append(loss)
        return count < len(self._rates)

    def losses(self) -> SeedLosses:
        """All that was taken."""
        return SeedLosses(self._seed, tuple(self._losses), self._diverged_at)

    def _limit(self) -> float:
        if not self._losses:
            return math.inf
        # Written as a distance from the best, so that it also holds for losses below 0.
        return max(self._best + (LIMIT - 1) * abs(self._best), 2 * self._losses[0] - self._best)


@dataclass(frozen=True)
class RangeTest:
    """The outcome of a range test.

    Attributes:
        rates: Of the ramp's updates, [updates].
        seeds: What each network went through.
        smoothed: Loss after each update, smoothed; [seeds, updates]. NaN from where a seed has diverged.
        centre: Median over the seeds, where a diverged one counts as worse than all others; [updates]. NaN from
            where half of them have diverged.
        finding: The range and the rate that follow.
    """

    rates: Numbers
    seeds: tuple[SeedLosses, ...]
    smoothed: Numbers
    centre: Numbers
    finding: Finding


def analyse(seeds: Sequence[SeedLosses], low: float, high: float, updates: int) -> RangeTest:
    """Combine the seeds of a range test.

    Args:
        seeds: What each network went through; at least one.
        low: First learning rate of the ramp.
        high: Last one.
        updates: Updates from the first to the last.
    """
    rates = grid(low, high, updates)
    keep = kept_share(updates)
    smoothed = np.full((len(seeds), updates), np.nan)
    for row, seed in zip(smoothed, seeds, strict=True):
        after = smooth(seed.losses, keep)[1 : updates + 1]
        row[: len(after)] = after
    centre = np.median(np.where(np.isnan(smoothed), np.inf, smoothed), axis=0)
    lost = np.flatnonzero(~np.isfinite(centre))
    centre[lost[0] if len(lost) else updates :] = np.nan
    reach = look_back(updates)
    finding = judge(
        rates=rates,
        centre=centre,
        slope=slopes(centre[~np.isnan(centre)], math.log10(high / low) / (updates - 1), reach),
        start=float(np.median([np.mean(seed.losses[: 2 * reach]) if seed.losses else np.nan for seed in seeds])),
        noise=_noise(seeds, keep),
        reach=reach,
        diverged_at=[seed.diverged_at for seed in seeds],
    )
    return RangeTest(rates, tuple(seeds), smoothed, centre, finding)


def grid(low: float, high: float, updates: int) -> Numbers:
    """Rates of an exponential ramp: ``low * (high / low) ** (i / (updates - 1))``.

    Args:
        low: First rate.
        high: Last rate.
        updates: How many, at least 2.
    """
    return np.asarray(low * (high / low) ** (np.arange(updates) / (updates - 1)), dtype=np.float64)


def look_back(updates: int) -> int:
    """Updates over which losses are averaged and, to either side, slopes taken.

    Args:
        updates: Of the whole ramp.
    """
    return max(2, round(updates * LOOK_BACK))


def kept_share(updates: int) -> float:
    """What the moving average keeps of itself at each loss, so that it looks back over `look_back` of them.

    Args:
        updates: Of the whole ramp.
    """
    return 1 - 1 / look_back(updates)


def smooth(losses: Sequence[float], keep: float) -> Numbers:
    """Bias-corrected exponential moving average, ``sum_j keep^(i-j) x_j / sum_j keep^(i-j)`` over ``j <= i``.

    Args:
        losses: In the order of the batches.
        keep: Share that the average keeps of itself at each, ``0 <= keep < 1``.

    Returns:
        As many values. Source: Kingma and Ba, "Adam" (2015), for the correction.
    """
    smoothed, average = np.empty(len(losses)), 0.0
    for index, loss in enumerate(losses):
        average = keep * average + (1 - keep) * loss
        smoothed[index] = average / (1 - keep ** (index + 1))
    return smoothed


def slopes(values: Numbers, step: float, reach: int) -> Numbers:
    """Slope of the least-squares line through each point and its neighbours.

    Args:
        values: At equal distances.
        step: The distance, here in decades of the learning rate.
        reach: Neighbours to each side, at least 1; fewer are taken at the ends.

    Returns:
        Change of the value per unit of `step`; 0 where there is a single value.
    """
    found = np.zeros(len(values))
    for index in range(len(values)) if len(values) > 1 else ():
        part = values[max(0, index - reach) : index + reach + 1]
        places = (np.arange(len(part)) - (len(part) - 1) / 2) * step
        found[index] = places @ (part - part.mean()) / (places @ places)
    return found


def _noise(seeds: Sequence[SeedLosses], keep: float) -> float:
    """Standard error of the centre: of one batch's loss, through the average, through the median."""
    # Differences of neighbours, because they do not know of the slow fall; their median, because spikes are rare.
    spread = [np.median(np.abs(np.diff(seed.losses))) for seed in seeds if len(seed.losses) > 1]
    if not spread:
        return 0.0
    batch = float(np.median(spread)) / (0.6745 * math.sqrt(2))
    averaged = batch * math.sqrt((1 - keep) / (1 + keep))
    return averaged if len(seeds) == 1 else averaged * math.sqrt(math.pi / 2 / len(seeds))
