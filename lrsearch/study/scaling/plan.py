"""Which short runs to make: epochs and rates of each rung, how many seeds, and what that costs in full runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lrsearch.errors import input_error
from lrsearch.study.scaling import prior
from lrsearch.study.scaling.prior import Fixed
from lrsearch.study_file.axes import Range, short
from lrsearch.study_file.model import TrainingSection

FACTOR = 2.0
"""From one rate of a ladder to the next, before it is refined."""
BESIDE = 3
"""Rates on either side of where the best one is expected."""
REFINED = 4
"""Rates that are added at most around the best one of a rung, and type."""
SEEDS, FEWEST_SEEDS = 5, 3
AXES = ("epochs", "batch_size")


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
        fixed: What stays the same where the batch grows.
        training: Of the study, whose epochs or batch size each rung replaces.
        entrants: The scheduler types.
        lr: The axis of rates, where no best rate is known.
        seeds: How many.
    """

    axis: str
    rungs: tuple[float, ...]
    to: float
    fixed: Fixed
    training: TrainingSection
    entrants: tuple[Entrant, ...]
    lr: Range
    seeds: int = SEEDS

    def changed(self, at: float) -> dict[str, int]:
        """The keys of the training section that differ at a place of the axis.

        Args:
            at: The place.
        """
        if self.axis == "epochs":
            return {"epochs": int(at)}
        own = self.training
        grown = max(round(own.epochs * at / own.batch_size), 1) if self.fixed == "updates" else own.epochs
        return {"batch_size": int(at), "epochs": grown}

    def epochs(self, at: float) -> int:
        """Epochs of a run at a place of the axis."""
        return self.changed(at)["epochs"]

    def ratio(self, at: float) -> float:
        """Epochs of a run by those of the study."""
        return self.epochs(at) / self.training.epochs

    def rates(self, entrant: Entrant, at: float) -> list[float]:
        """The ladder that a rung begins with.

        Args:
            entrant: Whose.
            at: The rung.
        """
        if entrant.lr is None:
            steps = max(math.ceil(math.log(self.lr.high / self.lr.low, FACTOR)), 2)
            return [short(self.lr.low * (self.lr.high / self.lr.low) ** (step / steps)) for step in range(steps + 1)]
        base = self.training.epochs if self.axis == "epochs" else self.training.batch_size
        centre = entrant.lr * (at / base) ** prior.of(self.axis, self.fixed).slope
        return [short(centre * FACTOR**step) for step in range(-BESIDE, BESIDE + 1)]

    def question(self) -> dict[str, Any]:
        """What was asked, as the storage keeps it."""
        return {
            "axis": self.axis,
            "from": list(self.rungs),
            "to": self.to,
            "fixed": self.fixed,
            "seeds": self.seeds,
        }

    def epochs_at_most(self) -> int:
        """Epochs of all runs, refined rates included."""
        per_seed = sum(
            (len(self.rates(own, at)) + REFINED) * self.epochs(at) for own in self.entrants for at in self.rungs
        )
        return per_seed * self.seeds

    def full_runs(self, epochs: float) -> float:
        """Epochs in runs at the target."""
        return epochs / self.epochs(self.to)


def refined(rates: Sequence[float], means: Sequence[float], first: int) -> list[float]:
    """Rates to add: beyond the end where the best one is, else halfway to those beside it.

    Args:
        rates: Ascending.
        means: What each came to, smaller is better; infinite where it diverged.
        first: How many rates the rung began with.

    Returns:
        None if as many as may be were added, or those halfway are there.
    """
    left = first + REFINED - len(rates)
    if left <= 0 or math.isinf(min(means)):
        return []
    best = min(range(len(rates)), key=lambda place: means[place])
    if best == 0:
        return [short(rates[0] / FACTOR**step) for step in range(1, min(left, 2) + 1)]
    if best == len(rates) - 1:
        return [short(rates[-1] * FACTOR**step) for step in range(1, min(left, 2) + 1)]
    beside = [(rates[place], rates[place + 1]) for place in (best - 1, best)]
    wanted = [short(math.sqrt(low * high)) for low, high in beside if high / low > FACTOR * 0.99]
    return wanted[:left]


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
    each = plan.full_runs(plan.epochs_at_most()) / plan.seeds
    seeds = int(budget / each)
    if seeds < FEWEST_SEEDS:
        least = math.ceil(each * FEWEST_SEEDS * 10) / 10
        rule = f"pays for {seeds} seeds, and {FEWEST_SEEDS} are the fewest that tell anything: at least {least:g}"
        raise input_error("scale", rule, key="--budget", received=f"{budget:g}")
    return min(seeds, 4 * SEEDS)
