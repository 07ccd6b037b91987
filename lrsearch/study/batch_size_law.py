"""How the best learning rate moves with the batch size: a power law through the trials of a search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

LEAST_TRIALS = 20
"""Fewer trials say nothing."""
LEAST_SIZES, LEAST_SPAN = 3, 3.0
"""Different batch sizes, and how many times the largest is the smallest."""
WINDOW = math.log(4.2)
"""Trials within this distance of the best rate, in logarithms, are looked at: only near there it is a parabola."""
LOOKS, LOOKS_AGAIN = 8, 3
"""How often the window is moved to the valley that was found before; for resamples, which begin there."""
FEWEST_OF_A_TYPE = 4
"""Trials of a scheduler type within the window below which its own best rate cannot be told from chance."""
REWEIGHTED = 2
"""How often each trial's weight is looked at anew."""
DRAWS = 200
"""Resamples of the trials."""
BEST, ELSEWHERE = 0.1, 1 / 3
"""Share of the trials that are called the best, and largest share of these that may lie far from the valley."""
STARTS = (0.1, 0.3, 0.5, 0.7, 0.9), (0.0, 0.5, 1.0)
"""Where a valley is looked for first: quantiles of the log rates, and exponents. The lowest valley is taken."""
STRAIGHT = 0.025
"""Largest share of resamples without a valley: more, and the interval has no end."""
SENSIBLE = (-0.5, 1.5)
"""Between these an exponent makes sense: published ones lie from 0 to 1."""
WIDEST = 0.8
"""Widest interval of the exponent that is an answer: then twice the batch means a factor known to within 1.75."""


@dataclass(frozen=True)
class Trained:
    """Trials of one optimizer that were trained to the end; all arrays are [trials].

    Attributes:
        rates: Initial rates.
        sizes: Batch sizes.
        values: What each came to; smaller is better.
        types: Scheduler type of each.
    """

    rates: Numbers
    sizes: Numbers
    values: Numbers
    types: Sequence[str | None]


@dataclass(frozen=True)
class BatchSizeLaw:
    """Best rate = `rate` * (batch size / `size`) ^ `exponent`.

    Attributes:
        size: A batch size in the middle of those that were tried.
        rate: The best rate there, with the best trial's scheduler type.
        exponent: Of the power law; NaN where there is no valley.
        low: Lower end of its 95 % interval; infinite where it has none.
        high: Upper end.
        trials: How many trials lie near the valley, and say so.
        among: Of how many.
        elsewhere: Share of the best trials that lie far from it.
        rates: Lowest and highest rate that was tried.
        sizes: Smallest and largest batch size that was tried.
    """

    size: float
    rate: float
    exponent: float
    low: float
    high: float
    trials: int
    among: int
    elsewhere: float
    rates: tuple[float, float]
    sizes: tuple[float, float]

    def at(self, size: float) -> float:
        """The best rate at a batch size.

        Args:
            size: The batch size.
        """
        return float(self.rate * (size / self.size) ** self.exponent)

    @property
    def is_known(self) -> bool:
        """Whether the trials say it well enough to go by it."""
        sensible = SENSIBLE[0] < self.low and self.high < SENSIBLE[1]
        narrow = self.high - self.low <= WIDEST
        return sensible and narrow and not self.leaves_the_rates and not self.misses_the_best

    @property
    def misses_the_best(self) -> bool:
        """Whether most of the best trials lie in another valley."""
        return self.elsewhere > ELSEWHERE

    @property
    def leaves_the_rates(self) -> bool:
        """Whether the best rate of the smallest or largest batch lies where no rate was tried."""
        return any(not self.rates[0] < self.at(size) < self.rates[1] for size in self.sizes)


def batch_size_law(trained: Trained, seed: int = 0) -> BatchSizeLaw | None:
    """The law with its interval, from a bootstrap over trials.

    Near its best rate the logarithm of the value is a parabola in the logarithm of the rate. Its lowest point moves
    with the logarithm of the batch size; each scheduler type has a level and a best rate of its own, and all types have
    width and movement in common. Fitted by weighted least squares: what is far above the valley's floor weighs little,
    since cliffs are steeper than parabolas.

    Args:
        trained: The trials; diverged ones left out.
        seed: Of the resamples.

    Returns:
        None where trials or batch sizes are too few.
    """
    sizes = np.unique(trained.sizes)
    few = len(trained.values) < LEAST_TRIALS or len(sizes) < LEAST_SIZES
    if few or sizes[-1] < LEAST_SPAN * sizes[0]:
        return None
    valley, everyone = _Valley(trained), np.arange(len(trained.values))
    with np.errstate(over="ignore", invalid="ignore"):  # exploded scores; where they matter, there is no valley
        found = valley.lowest(everyone)
        low, high = (-math.inf, math.inf) if found is None else _interval(valley, found, len(everyone), seed)
    line = found or _Line(math.nan, math.nan)
    return BatchSizeLaw(
        size=math.exp(valley.middle), rate=math.exp(line.level), exponent=line.slope, low=low, high=high,
        trials=line.trials, among=len(everyone), elsewhere=valley.elsewhere(line),
        rates=(float(trained.rates.min()), float(trained.rates.max())), sizes=(float(sizes[0]), float(sizes[-1])),
    )  # fmt: skip


def _interval(valley: _Valley, found: _Line, trials: int, seed: int) -> tuple[float, float]:
    """95 % interval of the exponent; without ends where too many resamples have no valley."""
    draws = np.random.default_rng(seed).integers(0, trials, (DRAWS, trials))
    lines = (valley.fit(places, found, LOOKS_AGAIN) for places in draws)
    slopes = [line.slope for line in lines if line is not None]
    if len(slopes) < (1 - STRAIGHT) * DRAWS:
        return -math.inf, math.inf
    low, high = np.percentile(slopes, [2.5, 97.5])
    return float(low), float(high)


@dataclass(frozen=True)
class _Line:
    """Log of the best rate = level + slope * (log of the batch size - middle).

    Attributes:
        level: See above; of the best trial's scheduler type.
        slope: See above.
        trials: Within the window.
        floor: The value in the valley, at the middle.
    """

    level: float
    slope: float
    trials: int = 0
    floor: float = math.inf

    def __call__(self, sizes: Numbers) -> Numbers:
        return self.level + self.slope * sizes


class _Valley:
    """The trials in logarithms.

    Args:
        trained: The trials.
    """

    def __init__(self, trained: Trained) -> None:
        logs = np.log(trained.sizes)
        self.middle = float((logs.min() + logs.max()) / 2)
        self._z = logs - self.middle
        self._x = np.log(trained.rates)
        positive = bool((trained.values > 0).all())
        self._y = np.log(trained.values) if positive else trained.values
        names = list(dict.fromkeys(trained.types))
        best = trained.types[int(np.argmin(self._y))]
        self._kinds = np.array([(name != best) * (1 + names.index(name)) for name in trained.types])
        """0 is the best trial's type."""

    def lowest(self, places: NDArray[np.intp]) -> _Line | None:
        """The lowest of the valleys that are found from different starts.

        Args:
            places: Which trials.
        """
        levels, slopes = np.quantile(self._x[places], STARTS[0]), STARTS[1]
        found = [self.fit(places, _Line(float(level), slope)) for level in levels for slope in slopes]
        return min((line for line in found if line is not None), key=lambda line: line.floor, default=None)

    def elsewhere(self, line: _Line) -> float:
        """Share of the best trials that lie outside of a line's window."""
        best = np.argsort(self._y, kind="stable")[: max(1, round(BEST * len(self._y)))]
        return float(np.mean(~(np.abs(self._x[best] - line(self._z[best])) <= WINDOW)))

    def fit(self, places: NDArray[np.intp], line: _Line, looks: int = LOOKS) -> _Line | None:
        """The line of some trials; None where they have no valley.

        Args:
            places: Which trials; one may be there more than once.
            line: Where to look first.
            looks: How often to look.
        """
        z, y, kinds = self._z[places], self._y[places], self._kinds[places]
        for _ in range(looks):
            u = self._x[places] - line(z)
            near = np.flatnonzero(np.abs(u) <= WINDOW)
            kept = np.flatnonzero(np.bincount(kinds[near]) >= FEWEST_OF_A_TYPE).tolist()
            near = near[np.isin(kinds[near], kept)]
            if 0 not in kept or len(near) < LEAST_TRIALS // 2 or len(np.unique(z[near])) < 2:
                return None
            moved = _lowest(u[near], z[near], y[near], kinds[near], kept)
            if moved is None:
                return None
            limit = WINDOW / 2
            line = _Line(line.level + float(np.clip(moved[0], -limit, limit)),
                         line.slope + float(np.clip(moved[1], -0.5, 0.5)), len(near), moved[2])  # fmt: skip
        return line


def _lowest(
    u: Numbers, z: Numbers, y: Numbers, kinds: NDArray[np.intp], kept: Sequence[int]
) -> tuple[float, float, float] | None:
    """By how much the line must move, level of the best type and slope, and its floor; None where nothing bends up.

    Args:
        u: Log rates, from the line so far.
        z: Log batch sizes, from their middle.
        y: Values.
        kinds: Scheduler types.
        kept: Those that there are.
    """
    own = (kinds[:, None] == np.array(kept)).astype(np.float64)
    several = [z**2] if len(np.unique(z)) > 2 else []
    design = np.column_stack([own, own * u[:, None], u**2, u * z, z, *several])
    count, weights = len(kept), np.ones(len(y))
    for _ in range(REWEIGHTED):
        weighted = design * weights[:, None]
        normal = weighted.T @ design
        normal[np.diag_indices_from(normal)] += 1e-9 * normal.trace()  # resamples may lack all but one size
        found = np.linalg.solve(normal, weighted.T @ y)
        levels, pulls, (bend, movement), by_size = np.split(found, [count, 2 * count, 2 * count + 2])
        if not bend > 0:  # nor where numbers were too large
            return None
        pull = own @ pulls + movement * z
        floor = own @ levels + design[:, 2 * count + 2 :] @ by_size - pull**2 / (4 * bend)
        above = np.maximum(y - floor, 0.0)
        weights = 1.0 / (1.0 + (above / (np.median(above) + 1e-12)) ** 2)
    best = list(kept).index(0)
    level, slope = -pulls[best] / (2 * bend), -movement / (2 * bend)
    return float(level), float(slope), float(levels[best] - bend * level**2)
