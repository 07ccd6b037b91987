"""The pruners a study file may name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, PercentilePruner
from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from lrsearch.pruning.extrapolation import StratifiedExtrapolation
from lrsearch.pruning.halving import StratifiedHalving
from lrsearch.registry import pruners
from lrsearch.study_file.axes import NoOptions, StrictModel
from lrsearch.study_file.model import Definition

Fraction = Annotated[float, Field(gt=0, lt=1)]


FIRST = 2
"""The first epoch after which a trial's end can be predicted: two are needed."""


class PruningOptions(StrictModel):
    """Options of every pruner that ends trials.

    Attributes:
        audit: Share of the trials that it would end which are trained on, to find out what was lost with the others.
    """

    audit: Annotated[float, Field(ge=0, lt=1)] = 0.0


EARLY, LATE = 0.7, 0.3
"""Shares that `Extrapolation` keeps at rungs before half of the epochs, and from there on."""


class ExtrapolationOptions(PruningOptions):
    """Options of `Extrapolation`.

    Attributes:
        rungs: Where trials are compared, as fractions of the epochs.
        keep: Share of each scheduler type's trials that goes on; one for all rungs, or one for each. By default
            `EARLY` before half of the epochs and `LATE` from there on.
    """

    rungs: Annotated[list[Fraction], Field(min_length=1)] = [0.125, 0.5]
    keep: Annotated[
        Annotated[Fraction, Tag("<number>")] | Annotated[list[Fraction], Field(min_length=1), Tag("<choices>")],
        Discriminator(lambda given: "<choices>" if isinstance(given, list) else "<number>"),
    ]
    audit: Annotated[float, Field(ge=0, lt=1)] = 0.05

    @model_validator(mode="before")
    @classmethod
    def _with_shares(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "keep" in given:
            return given
        rungs = given.get("rungs", cls.model_fields["rungs"].default)
        numbers = isinstance(rungs, list) and all(isinstance(rung, (int, float)) for rung in rungs)
        return {**given, "keep": [EARLY if rung < 0.5 else LATE for rung in rungs] if numbers and rungs else LATE}

    @model_validator(mode="after")
    def _share_for_each(self) -> ExtrapolationOptions:
        if isinstance(self.keep, list) and len(self.keep) != len(self.rungs):
            raise PydanticCustomError("rule", "keep must be one share, or a list with one for each of the rungs")
        return self


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


class Extrapolation:
    """At each rung the best share of each scheduler type goes on, judged by where each trial is going."""

    options: ClassVar[type[StrictModel]] = ExtrapolationOptions

    @staticmethod
    def build(options: ExtrapolationOptions, epochs: int) -> BasePruner:
        shares = Extrapolation.shares(options, epochs)
        return StratifiedExtrapolation(list(shares), list(shares.values()))

    @staticmethod
    def rungs(options: ExtrapolationOptions, epochs: int) -> Sequence[int]:
        return list(Extrapolation.shares(options, epochs))

    @staticmethod
    def shares(options: ExtrapolationOptions, epochs: int) -> dict[int, float]:
        """Which share goes on where.

        Args:
            options: Rungs and shares.
            epochs: Of a trial that is trained to the end.

        Returns:
            Rung -> share. From one epoch nothing can be predicted; of rungs at the same epoch the last one counts.
        """
        keep = options.keep if isinstance(options.keep, list) else [options.keep] * len(options.rungs)
        ordered = sorted(zip(options.rungs, keep, strict=True))
        shares = {max(FIRST, round(fraction * epochs)): share for fraction, share in ordered}
        return {rung: share for rung, share in shares.items() if rung < epochs}


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


pruners.add("extrapolation", Extrapolation)
pruners.add("halving", Halving)
pruners.add("none", Nothing)
pruners.add("median", Median)
pruners.add("percentile", Percentile)
pruners.add("hyperband", Hyperband)


def build(definition: Definition, evaluations: int | None = None) -> BasePruner:
    """The pruner of a study.

    Args:
        definition: Its definition.
        evaluations: Of a trial that is trained to the end; by default one for each epoch.
    """
    plugin, last = pruners.get(definition.pruner.name), evaluations or definition.training.epochs
    made: BasePruner = plugin.build(plugin.options(**definition.pruner.options), last)
    return made


def rungs(definition: Definition, evaluations: int | None = None) -> Sequence[int]:
    """The epochs, or evaluations, after which a study's pruner is asked.

    Args:
        definition: The study's definition.
        evaluations: As for `build`.
    """
    plugin, last = pruners.get(definition.pruner.name), evaluations or definition.training.epochs
    steps: Sequence[int] = plugin.rungs(plugin.options(**definition.pruner.options), last)
    return steps


def audit_share(definition: Definition) -> float:
    """Which share of the trials that its pruner would end a study trains on.

    Args:
        definition: The study's definition.
    """
    return float(definition.pruner.options.get("audit", 0.0))
