"""The search space of a study, and settings: one point of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from lrsearch import registry
from lrsearch.schedules.base import Schedule
from lrsearch.study_file.axes import Choices, Range
from lrsearch.study_file.model import Definition, TrySection

Axis = Range | Choices | float


@dataclass(frozen=True)
class Settings:
    """One point of the search space: an initial learning rate and a schedule."""

    lr: float
    schedule: Schedule

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
    """

    lr: Axis
    schedulers: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Axis]]

    @classmethod
    def of(cls, definition: Definition) -> Space:
        """The space of a definition: the families' default axes, and the file's where it has its own."""
        search = definition.search
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
            parameter_name(scheduler, key): _distribution(axis, integer=family.parameters()[key].integer)
            for key, axis in self.parameters[scheduler].items()
        }

    def suggest(self, trial: Trial) -> Settings:
        """The settings that Optuna's sampler proposes for a trial; a fixed number is a parameter, too.

        Args:
            trial: A trial that was asked for.
        """
        lr = _suggest(trial, "lr", _distribution(self.lr))
        scheduler = trial.suggest_categorical("scheduler", self.schedulers)
        params = {name: _suggest(trial, name, axis) for name, axis in self.distributions(scheduler).items()}
        return settings_from({"lr": lr, "scheduler": scheduler, **params})

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
    return Settings(float(params["lr"]), family.of(values))


def _distribution(axis: Axis, *, integer: bool = False) -> BaseDistribution:
    if isinstance(axis, Choices):
        return CategoricalDistribution([int(value) for value in axis.choices] if integer else axis.choices)
    low, high, log = (axis.low, axis.high, axis.log) if isinstance(axis, Range) else (axis, axis, False)
    if integer:
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)


def _suggest(trial: Trial, name: str, distribution: BaseDistribution) -> float:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)  # type: ignore[return-value]
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(name, distribution.low, distribution.high, log=distribution.log)
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)


def _nearest(axis: Axis, value: float) -> float:
    if isinstance(axis, Choices):
        return min(axis.choices, key=lambda choice: abs(choice - value))
    if isinstance(axis, Range):
        return min(max(value, axis.low), axis.high)
    return axis
