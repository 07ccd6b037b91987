"""The pruners a study file may name."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Annotated, ClassVar, TypeVar

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, PercentilePruner
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from pydantic import Field

from lrsearch.registry import pruners
from lrsearch.storage.attributes import EXCLUDED
from lrsearch.study_file.axes import NoOptions, StrictModel
from lrsearch.study_file.model import Definition

Trial = TypeVar("Trial", bound=Hashable)
Fraction = Annotated[float, Field(gt=0, lt=1)]


class PruningOptions(StrictModel):
    """Options of every pruner that ends trials.

    Attributes:
        audit: Share of the trials that it would end which are trained on, to find out what was lost with the others.
    """

    audit: Annotated[float, Field(ge=0, lt=1)] = 0.0


class HalvingOptions(PruningOptions):
    """Options of `Halving`.

    Attributes:
        rungs: Where trials are compared, as fractions of the epochs.
        keep: Share of each scheduler type's trials that go on.
    """

    rungs: Annotated[list[Fraction], Field(min_length=1)] = [0.083, 0.25, 0.5]
    keep: Fraction = 0.333


class PercentileOptions(PruningOptions):
    """Options of `Percentile`.

    Attributes:
        percentile: Share of the trials that go on, in percent.
        startup_trials: So many complete trials before anything is pruned.
        warmup_epochs: No trial is pruned before so many epochs.
    """

    percentile: Annotated[float, Field(gt=0, lt=100)] = 25.0
    startup_trials: Annotated[int, Field(ge=0)] = 5
    warmup_epochs: Annotated[int, Field(ge=0)] = 5


class MedianOptions(PruningOptions):
    """Options of `Median`; see `PercentileOptions`."""

    startup_trials: Annotated[int, Field(ge=0)] = 5
    warmup_epochs: Annotated[int, Field(ge=0)] = 5


class HyperbandOptions(PruningOptions):
    """Options of `Hyperband`.

    Attributes:
        min_epochs: Epochs that every trial of the most impatient bracket gets.
        reduction: One in so many goes on at each rung.
    """

    min_epochs: Annotated[int, Field(ge=1)] = 3
    reduction: Annotated[int, Field(ge=2)] = 3


class Nothing:
    """Every trial is trained to its last epoch."""

    options: ClassVar[type[StrictModel]] = NoOptions

    @staticmethod
    def build(options: NoOptions, epochs: int) -> BasePruner:
        return NopPruner()

    @staticmethod
    def rungs(options: NoOptions, epochs: int) -> Sequence[int]:
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


class Percentile:
    """Optuna's: a trial ends when its best epoch so far is outside the best percentile of all trials there."""

    options: ClassVar[type[StrictModel]] = PercentileOptions

    @staticmethod
    def build(options: PercentileOptions, epochs: int) -> BasePruner:
        return PercentilePruner(
            options.percentile, n_startup_trials=options.startup_trials, n_warmup_steps=options.warmup_epochs
        )

    @staticmethod
    def rungs(options: PercentileOptions | MedianOptions, epochs: int) -> Sequence[int]:
        return range(options.warmup_epochs + 1, epochs)


class Median:
    """Optuna's: a trial ends when its best epoch so far is worse than the median of all trials there."""

    options: ClassVar[type[StrictModel]] = MedianOptions

    @staticmethod
    def build(options: MedianOptions, epochs: int) -> BasePruner:
        return MedianPruner(n_startup_trials=options.startup_trials, n_warmup_steps=options.warmup_epochs)

    rungs = Percentile.rungs


class Hyperband:
    """Optuna's: several brackets of successive halving, from impatient to patient."""

    options: ClassVar[type[StrictModel]] = HyperbandOptions

    @staticmethod
    def build(options: HyperbandOptions, epochs: int) -> BasePruner:
        return HyperbandPruner(
            min_resource=min(options.min_epochs, epochs), max_resource=epochs, reduction_factor=options.reduction
        )

    @staticmethod
    def rungs(options: HyperbandOptions, epochs: int) -> Sequence[int]:
        return range(options.min_epochs, epochs)


pruners.add("halving", Halving)
pruners.add("none", Nothing)
pruners.add("median", Median)
pruners.add("percentile", Percentile)
pruners.add("hyperband", Hyperband)


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


def audit_share(definition: Definition) -> float:
    """Which share of the trials that its pruner would end a study trains on.

    Args:
        definition: The study's definition.
    """
    return float(definition.pruner.options.get("audit", 0.0))


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
        excluded = study.user_attrs.get(EXCLUDED, {})
        others = [
            _rank(other, rung)
            for other in study.get_trials(deepcopy=False)
            if other.number != trial.number
            and rung in other.intermediate_values
            and other.params.get("scheduler") == scheduler
            and other.state != TrialState.FAIL
            and str(other.number) not in excluded
        ]
        return self.ends(_rank(trial, rung), others)

    def ends(self, own: tuple[float, int], others: Sequence[tuple[float, int]]) -> bool:
        """Whether a trial ends at a rung.

        Args:
            own: Its value there and its number.
            others: Those of the other trials of its scheduler type.
        """
        if len(others) < self.FREE:
            return False
        place = sum(rank < own for rank in others)
        return place >= survivors(len(others) + 1, self.keep)


def halve(values: Mapping[Trial, tuple[str, float]], keep: float) -> tuple[set[Trial], set[Trial]]:
    """Compare trials that reach a rung together: of each scheduler type the best share goes on.

    Args:
        values: Trial -> (scheduler type, value at the rung).
        keep: Share that goes on, at least one trial.

    Returns:
        The trials that end, and those that were compared at all: a type with no more trials than always go on is left
        to be compared with those seen before.
    """
    types = {kind for kind, _ in values.values()}
    ended: set[Trial] = set()
    compared: set[Trial] = set()
    for kind in types:
        group = [trial for trial, (own, _) in values.items() if own == kind]
        if len(group) > StratifiedHalving.FREE:
            # Sorting is stable: of equal trials the earlier one goes on. NaN comes last.
            ranked = sorted(group, key=lambda trial: math.inf if math.isnan(values[trial][1]) else values[trial][1])
            ended.update(ranked[survivors(len(group), keep) :])
            compared.update(group)
    return ended, compared


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
