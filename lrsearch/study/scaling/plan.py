"""Which short runs to make: epochs and rates of each rung, how many seeds, and what that costs in full runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lrsearch.errors import input_error
from lrsearch.study.scaling import prior
from lrsearch.study.scaling.prior import Fixed
from lrsearch.study.scaling.valley import Rung, height, lowest, wins
from lrsearch.study_file.axes import Range, short
from lrsearch.study_file.model import TrainingSection

FACTOR = 2.0
"""From one rate of a ladder to the next, before it is refined."""
BESIDE = 3
"""Rates on either side of where the best one is expected. With 2 on the later rungs, a second valley was missed."""
AROUND = 2
"""Rates on either side that the best one must have: on other seeds one of those beside it may be the best."""
AT_END = 0.1
"""The same where a rate at an end is the best one in this share of resamples of the seeds."""
REFINED = 4
"""Rates that are added at most around the best one of a rung, and type."""
SEEDS, FEWEST_SEEDS = 7, 4
"""By default, and at least. The default is the fewest with which `tests/benchmarks/scale_cases.py` met all that was
wanted of it, at four times the longest rung; with fewer than the least, seeds do not show how far they move a rate."""
Known = tuple[float, float]
"""A place of the axis, and the best rate there."""
AXES = ("epochs", "data", "batch_size")


class Cost(NamedTuple):
    """What runs cost.

    Attributes:
        epochs: Of all of them.
        full_runs: The same in runs at the target.
    """

    epochs: float
    full_runs: float


@dataclass(frozen=True)
class Entrant:
    """A scheduler type that is scaled.

    Attributes:
        scheduler: The type.
        params: Its own parameters, by Optuna's names, as they were found.
        lr: The best rate that is known; None where none is.
    """

    scheduler: str
    params: Mapping[str, Any]
    lr: float | None

    def at(self, ratio: float, lr: float) -> dict[str, Any]:
        """Its settings in a training whose epochs are so many times those that they were found with.

        `lambda` decays as much in all: its decay per epoch is taken to the power 1 / ratio.

        Args:
            ratio: Epochs of the training by those that the settings are from.
            lr: The rate.
        """
        own = dict(self.params)
        if self.scheduler == "lambda" and "decay" in own:
            own["decay"] = short(float(own["decay"]) ** (1 / ratio))
        return {"lr": lr, "scheduler": self.scheduler, **own}


@dataclass(frozen=True)
class Plan:
    """What is run.

    Attributes:
        axis: What grows.
        rungs: Its places.
        to: The target.
        fixed: What stays the same where data or batch size grow.
        training: Of the study, whose epochs or batch size each rung replaces.
        entrants: The scheduler types.
        lr: The axis of rates, where no best rate is known.
        per_epoch: Updates in an epoch, at each place of the axis and at the study's own; empty where epochs do not
            depend on them.
        share: Of the training rows, that the study trains on.
        best: Whether a run is judged by its best epoch.
        seeds: How many.
    """

    axis: str
    rungs: tuple[float, ...]
    to: float
    fixed: Fixed
    training: TrainingSection
    entrants: tuple[Entrant, ...]
    lr: Range
    per_epoch: Mapping[float, int]
    share: float = 1.0
    best: bool = False
    seeds: int = SEEDS

    @property
    def own_place(self) -> float:
        """Where on the axis the study itself is."""
        own = self.training
        return {"epochs": float(own.epochs), "batch_size": float(own.batch_size), "data": self.share}[self.axis]

    def epochs(self, at: float) -> int:
        """Epochs of a run at a place of the axis.

        Args:
            at: The place.
        """
        if self.axis == "epochs":
            return int(at)
        if not self.per_epoch:
            return self.training.epochs
        return max(round(self.training.epochs * self.per_epoch[self.own_place] / self.per_epoch[at]), 1)

    def changed(self, at: float) -> dict[str, int]:
        """The keys of the training section that differ at a place of the axis.

        Args:
            at: The place.
        """
        batch = {"batch_size": int(at)} if self.axis == "batch_size" else {}
        return {"epochs": self.epochs(at), **batch}

    def ratio(self, at: float) -> float:
        """Epochs of a run by those of the study."""
        return self.epochs(at) / self.training.epochs

    def rates(self, entrant: Entrant, at: float, shorter: Known | None = None) -> list[float]:
        """The ladder that a rung begins with.

        Args:
            entrant: Whose.
            at: The rung.
            shorter: A rung that was trained before, and the best rate there; None for the first rung.
        """
        slope = prior.of(self.axis, self.fixed, best=self.best).slope
        if shorter is not None:
            return around(shorter, at, slope)
        if entrant.lr is None:
            steps = max(math.ceil(math.log(self.lr.high / self.lr.low, FACTOR)), 2)
            return [short(self.lr.low * (self.lr.high / self.lr.low) ** (step / steps)) for step in range(steps + 1)]
        return around((self.own_place, entrant.lr), at, slope)

    def question(self) -> dict[str, Any]:
        """What was asked, as the storage keeps it."""
        return {
            "axis": self.axis,
            "from": list(self.rungs),
            "to": self.to,
            "fixed": self.fixed,
            "seeds": self.seeds,
        }

    def runs_at_most(self, at: float) -> int:
        """Runs of a rung, refined rates included.

        Args:
            at: The rung.
        """
        first = at == self.rungs[0]
        ladders = [len(self.rates(own, at)) if first else 2 * BESIDE + 1 for own in self.entrants]
        return self.seeds * sum(rates + REFINED for rates in ladders)

    def cost(self, runs: Mapping[float, int]) -> Cost:
        """What so many runs cost.

        Args:
            runs: A rung -> how many.
        """
        # An epoch on a share of the rows costs that share.
        part = {at: at / self.to if self.axis == "data" else 1.0 for at in runs}
        epochs = {at: self.epochs(at) * number for at, number in runs.items()}
        return Cost(sum(epochs.values()), sum(epochs[at] * part[at] for at in runs) / self.epochs(self.to))

    @property
    def cost_at_most(self) -> Cost:
        """What all runs cost, refined rates included."""
        return self.cost({at: self.runs_at_most(at) for at in self.rungs})

    @property
    def cheapest(self) -> float:
        """The smallest budget that is enough, in full runs."""
        return math.ceil(self.cost_at_most.full_runs / self.seeds * FEWEST_SEEDS * 10) / 10


def around(known: Known, at: float, slope: float) -> list[float]:
    """A ladder around the rate that a place of the axis is expected to want.

    Args:
        known: Another place, and the best rate there.
        at: The place.
        slope: Of log rate against log axis.
    """
    place, lr = known
    centre = lr * (at / place) ** slope
    return [short(centre * FACTOR**step) for step in range(-BESIDE, BESIDE + 1)]


def best_rate(rung: Rung) -> float | None:
    """The best rate of a rung by a parabola; None where every rate diverged on some seed.

    Args:
        rung: What was trained.
    """
    if not np.isfinite(rung.means).any():
        return None
    return float(np.exp(lowest(rung.rates, height(rung.means)[None])[0]))


def refined(rung: Rung, first: int) -> list[float]:
    """Rates to add: beyond an end that the best one is near, and halfway to those beside it.

    Args:
        rung: What was trained so far.
        first: How many rates the rung began with.

    Returns:
        None if as many as may be were added, or those that are wanted are there.
    """
    rates, left = rung.rates.tolist(), first + REFINED - len(rung.rates)
    if left <= 0 or not np.isfinite(rung.means).any():
        return []
    best, last, won = int(np.argmin(rung.means)), len(rates) - 1, wins(rung)
    below = AROUND if won[0] >= AT_END else AROUND - best
    above = AROUND if won[-1] >= AT_END else AROUND - (last - best)
    wanted = [rates[0] / FACTOR**step for step in range(1, below + 1)]
    wanted += [rates[-1] * FACTOR**step for step in range(1, above + 1)]
    if 0 < best < last:
        beside = [(rates[place], rates[place + 1]) for place in (best - 1, best)]
        wanted += [math.sqrt(low * high) for low, high in beside if high / low > FACTOR * 0.99]
    return [short(rate) for rate in wanted[:left]]


def within(plan: Plan, budget: float | None) -> int:
    """The seeds that a budget pays for.

    Args:
        plan: With any number of seeds.
        budget: In full runs; None for what the plan has.

    Raises:
        InputError: They are too few, with the smallest budget that is enough.
    """
    if budget is None:
        return plan.seeds
    each = plan.cost_at_most.full_runs / plan.seeds
    seeds = int(budget / each)
    if seeds < FEWEST_SEEDS:
        rule = (
            f"pays for {seeds} seeds, and {FEWEST_SEEDS} are the fewest that tell anything: at least {plan.cheapest:g}"
        )
        raise input_error("scale", rule, key="--budget", received=f"{budget:g}")
    return min(seeds, 4 * SEEDS)
