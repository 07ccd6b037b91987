"""The search space of a study, and settings: one point of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from lrsearch import registry
from lrsearch.schedules.base import Schedule
from lrsearch.storage.store import Chosen
from lrsearch.study_file.axes import Choices, Range, short
from lrsearch.study_file.model import Definition, SearchSection, TrySection

Axis = Range | Choices | float
LR_NAMES = ("lr", "learning_rate")
"""Names under which a trial's parameters may hold the initial learning rate; ours comes first."""
SEED = "seed"
"""Optuna's name of the parameter that holds a trial's own seed."""
LARGEST_SEED = 2**32 - 1
"""torch's CPU generator looks at 32 bits of a seed only."""


@dataclass(frozen=True)
class Settings:
    """One point of the search space: an initial learning rate and a schedule.

    Attributes:
        lr: Initial learning rate.
        schedule: How it goes on.
        seed: The one seed that the trial is trained on; None where all trials have those of the study.
    """

    lr: float
    schedule: Schedule
    seed: int | None = None

    def seeds(self, of_study: Sequence[int]) -> Sequence[int]:
        """The seeds that the trial is trained on.

        Args:
            of_study: Those of the study.
        """
        return of_study if self.seed is None else [self.seed]

    def params(self) -> dict[str, Any]:
        """The settings as Optuna parameters, complete."""
        named = {parameter_name(self.schedule.name, key): value for key, value in self.schedule.values().items()}
        return {"lr": self.lr, "scheduler": self.schedule.name, **named}


@dataclass(frozen=True)
class Space:
    """What a study searches.

    Attributes:
        lr: Axis of the initial learning rate.
        schedulers: Scheduler types.
        parameters: Scheduler type -> parameter -> axis; a parameter that is not here keeps its default.
        seeded: Whether each trial has a seed of its own, as a parameter, as in a confirmation.
    """

    lr: Axis
    schedulers: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Axis]]
    seeded: bool = False

    @classmethod
    def of(cls, definition: Definition, *, seeded: bool = False) -> Space:
        """The space of a definition; see the class for `seeded`."""
        return replace(cls.of_section(definition.search), seeded=seeded)

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
        return cls(search.lr, tuple(search.schedulers), parameters)

    def distributions(self, scheduler: str) -> dict[str, BaseDistribution]:
        """Optuna's distributions of one scheduler type's own parameters, by Optuna's names."""
        family = registry.schedules.get(scheduler)
        return {
            parameter_name(scheduler, key): distribution(axis, integer=family.parameters()[key].integer)
            for key, axis in self.parameters[scheduler].items()
        }

    def names(self) -> list[str]:
        """Optuna's names of all parameters, those of every scheduler type included."""
        own = [name for scheduler in self.schedulers for name in self.distributions(scheduler)]
        return ["lr", "scheduler", *own]

    def shared(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions of the parameters that every trial has."""
        seed = {SEED: IntDistribution(0, LARGEST_SEED)} if self.seeded else {}
        return {"lr": distribution(self.lr), "scheduler": CategoricalDistribution(self.schedulers), **seed}

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
        own = self.distributions(params["scheduler"])
        params |= {name: fixed[name] if name in fixed else point(name, axis) for name, axis in own.items()}
        return Chosen(params, {**distributions, **own})

    def params_of(self, entry: TrySection) -> dict[str, Any]:
        """The Optuna parameters of ``[[try]]`` settings; what they leave out is the default, moved into range.

        Args:
            entry: The settings.
        """
        defaults = registry.schedules.get(entry.scheduler)().values()
        params: dict[str, Any] = {"lr": entry.lr, "scheduler": entry.scheduler}
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
    values = {key: params[name] for key in family.parameters() if (name := parameter_name(family.name, key)) in params}
    seed = None if params.get(SEED) is None else int(params[SEED])
    return Settings(float(params["lr"]), family.of(values), seed)


def distribution(axis: Axis, *, integer: bool = False) -> BaseDistribution:
    """Optuna's distribution of an axis; a fixed number is one, too.

    Args:
        axis: The axis.
        integer: Whether only whole numbers count.
    """
    if isinstance(axis, Choices):
        return CategoricalDistribution([int(value) for value in axis.choices] if integer else axis.choices)
    low, high, log = (axis.low, axis.high, axis.log) if isinstance(axis, Range) else (axis, axis, False)
    if integer:
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)


def _nearest(axis: Axis, value: float) -> float:
    if isinstance(axis, Choices):
        return min(axis.choices, key=lambda choice: abs(choice - value))
    if isinstance(axis, Range):
        return min(max(value, axis.low), axis.high)
    return axis
