"""The search space of a study, and settings: one point of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from lrsearch import registry
from lrsearch.sampling.axis import Axis as Axis
from lrsearch.sampling.axis import PlacedAxis
from lrsearch.sampling.axis import distribution as distribution
from lrsearch.schedules.base import Schedule
from lrsearch.storage.store import Chosen
from lrsearch.study_file import applied
from lrsearch.study_file.axes import Choices, Range, short
from lrsearch.study_file.model import Definition, SearchSection, TrySection
from lrsearch.study_file.option_axes import encoded, nearest
from lrsearch.study_file.searched_options import LR, OPTIMIZER, SearchedOptions

LR_NAMES = ("lr", "learning_rate")
"""Names under which a trial's parameters may hold the initial learning rate; ours comes first."""
SEED = "seed"
"""Optuna's name of the parameter that holds a trial's own seed."""
LARGEST_SEED = 2**32 - 1
"""torch's CPU generator looks at 32 bits of a seed only."""


@dataclass(frozen=True)
class Settings:
    """One point of the search space: an initial learning rate and a schedule, and what else is searched.

    Attributes:
        lr: Initial learning rate.
        schedule: How it goes on.
        seed: The one seed that the trial is trained on; None where all trials have those of the study.
        further: The trial's other parameters, by Optuna's names; `study_file.applied` says what they mean.
    """

    lr: float
    schedule: Schedule
    seed: int | None = None
    further: Mapping[str, Any] = field(default_factory=dict)

    def seeds(self, of_study: Sequence[int]) -> Sequence[int]:
        """The seeds that the trial is trained on.

        Args:
            of_study: Those of the study.
        """
        return of_study if self.seed is None else [self.seed]

    def params(self) -> dict[str, Any]:
        """The settings as Optuna parameters, complete."""
        named = {parameter_name(self.schedule.name, key): value for key, value in self.schedule.values().items()}
        rate = f"{self.further[OPTIMIZER]}.{LR}" if OPTIMIZER in self.further else LR
        return {rate: self.lr, "scheduler": self.schedule.name, **self.further, **named}


@dataclass(frozen=True)
class Space:
    """What a study searches.

    Attributes:
        lr: Axis of the initial learning rate.
        schedulers: Scheduler types.
        parameters: Scheduler type -> parameter -> axis; a parameter that is not here keeps its default.
        seeded: Whether each trial has a seed of its own, as a parameter, as in a confirmation.
        options: What else is searched.
        given: Optimizer -> parameter -> what the study file says of it without a search, for settings that leave it
            out.
        optimizer: The optimizer of such settings.
    """

    lr: Axis
    schedulers: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Axis]]
    seeded: bool = False
    options: SearchedOptions = field(default_factory=SearchedOptions)
    given: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    optimizer: str | None = None

    @classmethod
    def of(cls, definition: Definition, *, seeded: bool = False) -> Space:
        """The space of a definition; see the class for `seeded`."""
        made = replace(cls.of_section(definition.search), seeded=seeded)
        if not made.options:
            return made
        own = definition.training.optimizer
        names = made.options.optimizers or [own]
        return replace(made, given={name: applied.base(definition, name) for name in names}, optimizer=own)

    @classmethod
    def of_section(cls, search: SearchSection) -> Space:
        """The space of a search section: the families' default axes, and the file's where it has its own."""
        parameters = {}
        for name in search.schedulers:
            defaults = {
                key: declared.search
                for key, declared in registry.schedules.get(name).parameters().items()
                if declared.search is not None
            }
            parameters[name] = {**defaults, **search.parameters.get(name, {})}
        return cls(search.lr, tuple(search.schedulers), parameters, options=search.options)

    @property
    def optimizers(self) -> list[str | None]:
        """The optimizers that are searched; None alone where there is one, which is no parameter."""
        return list(self.options.optimizers) or [None]

    def of_every_trial(self) -> list[PlacedAxis]:
        """The axes that every trial has, whatever its optimizer and scheduler type."""
        rate = [] if self.options.optimizers else [self.rate(None)]
        return [*rate, *map(PlacedAxis.of, self.options.shared())]

    def rate(self, optimizer: str | None) -> PlacedAxis:
        """The axis of the initial learning rate.

        Args:
            optimizer: Whose; None where only one is tried.
        """
        if optimizer is None:
            return PlacedAxis(LR, "search.lr", self.lr)
        own = self.options.by_optimizer.get(optimizer, {})
        place = f"search.training.{optimizer}.lr" if LR in own else "search.lr"
        return PlacedAxis(f"{optimizer}.{LR}", place, own.get(LR, self.lr))

    def of_optimizer(self, optimizer: str | None) -> list[PlacedAxis]:
        """The axes that only trials of one optimizer have, its rate first.

        Args:
            optimizer: Whose; None where only one is tried, which has none of its own.
        """
        if optimizer is None:
            return []
        return [self.rate(optimizer), *map(PlacedAxis.of, self.options.own(optimizer))]

    def of_type(self, scheduler: str) -> list[PlacedAxis]:
        """The axes that only trials of one scheduler type have."""
        declared = registry.schedules.get(scheduler).parameters()
        return [
            PlacedAxis(parameter_name(scheduler, key), f"search.{scheduler}.{key}", axis, declared[key].integer)
            for key, axis in self.parameters[scheduler].items()
        ]

    def axes(self, scheduler: str, optimizer: str | None) -> list[PlacedAxis]:
        """All axes of the trials of one kind, the rate first.

        Args:
            scheduler: Their scheduler type.
            optimizer: Their optimizer; None where only one is tried.
        """
        rate, *others = [*self.of_optimizer(optimizer), *self.of_every_trial()]
        return [rate, *self.of_type(scheduler), *others]

    def distributions(self, scheduler: str) -> dict[str, BaseDistribution]:
        """Optuna's distributions of one scheduler type's own parameters, by Optuna's names."""
        return {axis.name: axis.distribution for axis in self.of_type(scheduler)}

    def own_distributions(self, params: Mapping[str, Any]) -> dict[str, BaseDistribution]:
        """Optuna's distributions of the parameters that not every trial has.

        Args:
            params: Of a trial; its scheduler type is known, and its optimizer, where several are tried.
        """
        optimizer = params[OPTIMIZER] if self.options.optimizers else None
        of_optimizer = {axis.name: axis.distribution for axis in self.of_optimizer(optimizer)}
        return {**of_optimizer, **self.distributions(params["scheduler"])}

    def conditions(self) -> dict[str, tuple[str, str]]:
        """Parameter that not every trial has -> which parameter decides, and by which choice it has it."""
        by_type = {axis.name: ("scheduler", kind) for kind in self.schedulers for axis in self.of_type(kind)}
        owners = ((axis.name, name) for name in self.options.optimizers for axis in self.of_optimizer(name))
        return {**{axis: (OPTIMIZER, name) for axis, name in owners}, **by_type}

    def all_distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions of all parameters, those of every optimizer and scheduler type included."""
        own = [axis for name in self.optimizers for axis in self.of_optimizer(name)]
        own += [axis for kind in self.schedulers for axis in self.of_type(kind)]
        return {**self.shared(), **{axis.name: axis.distribution for axis in own}}

    def names(self) -> list[str]:
        """Optuna's names of all parameters, but for the seed."""
        return [name for name in self.all_distributions() if name != SEED]

    def shared(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions of the parameters that every trial has."""
        chosen = {OPTIMIZER: CategoricalDistribution(self.options.optimizers)} if self.options.optimizers else {}
        first, others = {}, {axis.name: axis.distribution for axis in self.of_every_trial()}
        if LR in others:
            first = {LR: others.pop(LR)}
        seed = {SEED: IntDistribution(0, LARGEST_SEED)} if self.seeded else {}
        return {**first, **chosen, "scheduler": CategoricalDistribution(self.schedulers), **others, **seed}

    def is_settled(self, params: Mapping[str, Any]) -> bool:
        """Whether a trial's parameters say all that every trial has, and its rate."""
        return all(name in params for name in self.shared() if name != SEED)

    def settle(self, fixed: Mapping[str, Any], point: Callable[[str, BaseDistribution], Any]) -> Chosen:
        """Complete settings, as Optuna parameters; a fixed number is a parameter, too.

        Args:
            fixed: Parameters that have their value already.
            point: Says the value of each other parameter.

        Raises:
            UnknownNameError: The fixed scheduler type is none.
        """
        distributions = self.shared()
        params = {name: fixed[name] if name in fixed else point(name, axis) for name, axis in distributions.items()}
        own = self.own_distributions(params)
        params |= {name: fixed[name] if name in fixed else point(name, axis) for name, axis in own.items()}
        return Chosen(params, {**distributions, **own})

    def params_of(self, entry: TrySection) -> dict[str, Any]:
        """The Optuna parameters of ``[[try]]`` settings; what they leave out is the default, moved into range.

        Args:
            entry: The settings.
        """
        defaults = registry.schedules.get(entry.scheduler)().values()
        optimizer = (entry.optimizer or self.optimizer) if self.options.optimizers else None
        params: dict[str, Any] = {self.rate(optimizer).name: entry.lr, "scheduler": entry.scheduler}
        if optimizer is not None:
            params[OPTIMIZER] = optimizer
        given = self.given.get(optimizer or self.optimizer or "", {})
        for one in [*self.options.shared(), *(self.options.own(optimizer) if optimizer else [])]:
            said = getattr(entry, one.section)
            params[one.name] = encoded(said[one.key] if one.key in said else nearest(one.axis, given.get(one.name)))
        for key, axis in self.parameters[entry.scheduler].items():
            value = entry.parameters.get(key, _nearest(axis, defaults[key]))
            params[parameter_name(entry.scheduler, key)] = value
        return params


def within(axis: BaseDistribution, value: Any) -> Any:
    """A proposed value as it is trained: with `axes.DIGITS` significant digits where the axis is continuous.

    Args:
        axis: Its distribution.
        value: What a sampler proposes.
    """
    if not isinstance(axis, FloatDistribution):
        return value
    return min(max(short(value), axis.low), axis.high)


def parameter_name(scheduler: str, key: str) -> str:
    """Optuna's name of a scheduler type's parameter: ``decay`` for lambda's, ``<type>.<parameter>`` otherwise."""
    return key if (scheduler, key) == ("lambda", "decay") else f"{scheduler}.{key}"


def settings_from(params: Mapping[str, Any]) -> Settings:
    """The settings that a trial's Optuna parameters describe.

    Args:
        params: `lr`, `scheduler` and the scheduler's parameters; those that are missing take their defaults.

    Raises:
        KeyError: `lr` or `scheduler` is missing.
        InputError: The scheduler is unknown, or a parameter breaks its rule.
    """
    family = registry.schedules.get(params["scheduler"])
    names = {parameter_name(family.name, key): key for key in family.parameters()}
    values = {key: params[name] for name, key in names.items() if name in params}
    seed = None if params.get(SEED) is None else int(params[SEED])
    rate = rate_name(params)
    known = (*names, rate, "scheduler", SEED)
    further = {name: value for name, value in params.items() if name not in known}
    return Settings(float(params[rate]), family.of(values), seed, further)


def rate_name(params: Mapping[str, Any]) -> str:
    """The name of the parameter that holds the initial learning rate of a trial of ours.

    Args:
        params: The trial's Optuna parameters.
    """
    own = f"{params.get(OPTIMIZER)}.{LR}"
    return own if own in params and LR not in params else LR


def rate_of(params: Mapping[str, Any]) -> Any:
    """The initial learning rate among a trial's parameters, whoever made it; None if there is none.

    Args:
        params: The trial's Optuna parameters.
    """
    return next((params[name] for name in (rate_name(params), *LR_NAMES) if name in params), None)


def _nearest(axis: Axis, value: float) -> float:
    if isinstance(axis, Choices):
        return min(axis.choices, key=lambda choice: abs(choice - value))
    if isinstance(axis, Range):
        return min(max(value, axis.low), axis.high)
    return axis
