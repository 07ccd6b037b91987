"""The pruners a study file may name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar

from optuna.pruners import BasePruner, NopPruner
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from pydantic import Field

from lrsearch.registry import pruners
from lrsearch.search.attributes import EXCLUDED
from lrsearch.study_file.axes import StrictModel
from lrsearch.study_file.model import Definition

Fraction = Annotated[float, Field(gt=0, lt=1)]


class NoOptions(StrictModel):
    """For pruners that have nothing to set."""


class HalvingOptions(StrictModel):
    """Options of `Halving`.

    Attributes:
        rungs: Where trials are compared, as fractions of the epochs.
        keep: Share of each scheduler type's trials that go on.
    """

    rungs: Annotated[list[Fraction], Field(min_length=1)] = [0.083, 0.25, 0.5]
    keep: Fraction = 0.333


class Nothing:
    """Every trial is trained to its last epoch."""

    options: ClassVar[type[StrictModel]] = NoOptions

    @staticmethod
    def build(options: NoOptions, epochs: int) -> BasePruner:  # noqa: ARG004
        return NopPruner()

    @staticmethod
    def rungs(options: NoOptions, epochs: int) -> Sequence[int]:  # noqa: ARG004
        return ()


class Halving:
    """At each rung the best share of each scheduler type goes on."""

    options: ClassVar[type[StrictModel]] = HalvingOptions

    @staticmethod
    def build(options: HalvingOptions, epochs: int) -> BasePruner:
        return StratifiedHalving(Halving.rungs(options, epochs), options.keep)

    @staticmethod
    def rungs(options: HalvingOptions, epochs: int) -> Sequence[int]:
        steps = {max(1, round(fraction * epochs)) for fraction in options.rungs}
        return sorted(step for step in steps if step < epochs)


pruners.add("none", Nothing)
pruners.add("halving", Halving)


def build(definition: Definition) -> BasePruner:
    """The pruner of a study.

    Args:
        definition: Its definition.
    """
    plugin = pruners.get(definition.pruner.name)
    made: BasePruner = plugin.build(plugin.options(**definition.pruner.options), definition.training.epochs)
    return made


def rungs(definition: Definition) -> Sequence[int]:
    """The epochs after which a study's pruner is asked.

    Args:
        definition: The study's definition.
    """
    plugin = pruners.get(definition.pruner.name)
    steps: Sequence[int] = plugin.rungs(plugin.options(**definition.pruner.options), definition.training.epochs)
    return steps


class StratifiedHalving(BasePruner):
    """Compares a trial at each rung with the trials of its own scheduler type only.

    Types that start slowly (one-cycle, warm-up) lose every early comparison with types that start fast, and win
    late; comparing like with like removes that bias. One by one the rule is asynchronous (as in Li et al., "A System
    for Massively Parallel Hyperparameter Tuning", 2020): a trial goes on while it is among the best share of those
    seen at the rung so far, and the first three of a type always do.

    It only reads: asked twice, it answers twice the same.

    Args:
        rungs: Epochs after which trials are compared.
        keep: Share that goes on, at least one trial.
    """

    FREE = 3
    """So many trials of a type pass each rung before anybody is compared."""

    def __init__(self, rungs: Sequence[int], keep: float) -> None:
        self.rungs = tuple(rungs)
        self.keep = keep

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        rung = trial.last_step
        if rung not in self.rungs:
            return False
        scheduler = trial.params.get("scheduler")
        others = [
            _rank(other, rung)
            for other in study.get_trials(deepcopy=False)
            if other.number != trial.number
            and rung in other.intermediate_values
            and other.params.get("scheduler") == scheduler
            and other.state != TrialState.FAIL
            and EXCLUDED not in other.user_attrs
        ]
        if len(others) < self.FREE:
            return False
        place = sum(rank < _rank(trial, rung) for rank in others)
        return place >= survivors(len(others) + 1, self.keep)


def survivors(trials: int, keep: float) -> int:
    """How many of some trials go on: the share, to the nearest whole number, at least one.

    Args:
        trials: How many are compared.
        keep: The share.
    """
    return max(1, math.floor(trials * keep + 0.5))


def _rank(trial: FrozenTrial, rung: int) -> tuple[float, int]:
    value = trial.intermediate_values[rung]
    return (math.inf if math.isnan(value) else value, trial.number)
