"""Any sampler of Optuna by its class: ``[sampler] name = "optuna:GPSampler"``, with the class's own arguments as keys.

Optuna's samplers are asked for one trial after the other. Each question sees the trials that have ended, without those
that a person took out, and all that are under way; those that were asked for a moment ago are among them.
"""

from __future__ import annotations

import inspect
import types
import typing
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial
from pydantic import Field, create_model, model_validator
from pydantic_core import PydanticCustomError

from lrsearch.errors import Fault, LrsearchError
from lrsearch.sampling.proposer import Point, Uniform
from lrsearch.sampling.space import Space
from lrsearch.storage.past_trials import PastTrial, past
from lrsearch.study_file.axes import StrictModel

PREFIX = "optuna:"
"""What stands before the name of a class."""
PLAIN = (bool, int, float, str)
"""What a study file can say of a Python object."""
OURS = {"GridSampler": 'name = "grid"', "PartialFixedSampler": "a number instead of a range in [search]"}
"""Classes that need an object of Python -> what says the same in a study file."""

REFUSALS = (ValueError, TypeError, RuntimeError, ImportError)
"""How a class of Optuna says that it cannot be made, or has no answer: arguments that do not fit, a space that it does
not search, a package that is missing. The code is not ours, and the person is told its words, not its stack."""


class OptunaOptions(StrictModel):
    """Keys of ``[sampler]`` for a class of Optuna: those of its arguments that TOML can hold.

    Attributes:
        generation: Trials that a batched engine trains together, asked before any of them is told.
    """

    made: ClassVar[type[BaseSampler]]
    generation: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _constructs(self) -> OptunaOptions:
        for argument in _arguments(self.made).values():
            if argument.default is argument.empty and _plain(self.made, argument) is None:
                rule = f"needs {argument.name}, an object of Python that a study file cannot hold"
                instead = f"; write {OURS[self.made.__name__]}" if self.made.__name__ in OURS else ""
                raise PydanticCustomError("rule", "{why}", {"why": rule + instead})
        try:
            construct(self.made, self.model_dump(exclude_none=True), 0)
        except REFUSALS as error:
            raise PydanticCustomError("rule", "{why}", {"why": _one_line(error)}) from None
        return self


def names() -> list[str]:
    """The samplers of the installed Optuna, as a study file names them."""
    return [f"{PREFIX}{name}" for name in sorted(dir(optuna.samplers)) if _class_of(name) is not None]


def options_of(name: str) -> type[OptunaOptions] | None:
    """The keys that a sampler of Optuna takes; None if there is no such class.

    Args:
        name: Such as ``optuna:GPSampler``.
    """
    made = _class_of(name.removeprefix(PREFIX))
    return None if made is None else _options(made)


def construct(made: type[BaseSampler], options: Mapping[str, Any], number: int) -> BaseSampler:
    """A sampler for the question about one trial, so that a restart changes nothing.

    Args:
        made: The class.
        options: Keys of ``[sampler]``.
        number: The trial's number.
    """
    given = {key: value for key, value in options.items() if key != "generation"}
    if "seed" in given:
        given["seed"] = int(np.random.default_rng([given["seed"], number]).integers(2**31))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return made(**given)


class OptunaProposer:
    """Asks a sampler of Optuna; see `proposer.Proposer`.

    Args:
        made: Its class.
        options: Its keys.
        space: What is searched.
        study: The study, in which some samplers keep notes.
    """

    learns = True

    def __init__(self, made: type[BaseSampler], options: Mapping[str, Any], space: Space, study: optuna.Study) -> None:
        self._made, self._options, self._study = made, dict(options), study
        self._space = space
        self._told: frozenset[int] = frozenset()

    def learn(self, told: Sequence[PastTrial]) -> None:
        """See `Proposer.learn`."""
        self._told = frozenset(trial.number for trial in told)

    def propose(self, numbers: Sequence[int], pending: Sequence[PastTrial]) -> list[Point]:
        """See `Proposer.propose`."""
        trials = {trial.number: trial for trial in self._study.get_trials(deepcopy=False)}
        ended = [trials[number] for number in sorted(self._told) if number in trials]
        under_way = {own.number: own for own in self._under_way(trials, pending)}
        return [self._point(number, ended, under_way, trials.get(number)) for number in numbers]

    def _under_way(self, trials: Mapping[int, FrozenTrial], pending: Iterable[PastTrial]) -> Iterator[FrozenTrial]:
        """Trials that have not ended and whose settings are known."""
        for own in pending:
            if isinstance(own.params, Mapping) and self._space.is_settled(own.params):
                axes = {**self._space.shared(), **self._space.own_distributions(own.params)}
                known = {name: value for name, value in own.params.items() if name in axes}
                yield _running(own.number, known, axes, trials.get(own.number))

    def _point(
        self, number: int, ended: list[FrozenTrial], under_way: dict[int, FrozenTrial], stored: FrozenTrial | None
    ) -> Point:
        chosen: dict[str, Any] = {}
        axes: dict[str, BaseDistribution] = {}

        @cache
        def asked() -> tuple[BaseSampler, optuna.Study, dict[str, Any]]:
            sampler = construct(self._made, self._options, number)
            others = [trial for place, trial in under_way.items() if place != number]
            study = SeenStudy(self._study, sampler, sorted([*ended, *others], key=lambda trial: trial.number))
            own = _running(number, {}, {}, stored)
            sampler.before_trial(study, own)
            space = sampler.infer_relative_search_space(study, own)
            return sampler, study, sampler.sample_relative(study, own, space)

        def point(name: str, axis: BaseDistribution) -> Any:
            try:
                sampler, study, together = asked()
                if name in together:
                    value = together[name]
                else:
                    value = sampler.sample_independent(study, _running(number, chosen, axes, stored), name, axis)
            except REFUSALS as error:
                raise LrsearchError(f"sampler {PREFIX}{self._made.__name__}: {_one_line(error)}") from error
            chosen[name], axes[name] = value, axis
            under_way[number] = _running(number, chosen, axes, stored)
            return value

        return point


class SeenStudy(optuna.Study):
    """A stored study of which a sampler sees some trials only.

    Args:
        study: The study.
        sampler: Who looks.
        trials: What it sees.
    """

    def __init__(self, study: optuna.Study, sampler: BaseSampler, trials: list[FrozenTrial]) -> None:
        super().__init__(study.study_name, study._storage, sampler=sampler, pruner=study.pruner)
        self._seen = trials

    def _get_trials(self, deepcopy: bool = True, states: Any = None, use_cache: bool = False) -> list[FrozenTrial]:
        return [trial for trial in self._seen if states is None or trial.state in states]


def faults(made: type[BaseSampler], space: Space) -> list[Fault]:
    """What a class cannot do with a space, or lacks: it is asked for one trial after two that have ended.

    Args:
        made: The class.
        space: What would be searched.
    """
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(study_name="asked", storage=optuna.storages.InMemoryStorage())
        for number in range(2):
            settled = space.settle({}, Uniform(0).point(number))
            axes = dict(settled.distributions)
            study.add_trial(create_trial(value=1.0, params=dict(settled.params), distributions=axes))
        study.ask()
        proposer = OptunaProposer(made, {"seed": 0} if "seed" in _arguments(made) else {}, space, study)
        proposer.learn([past(trial) for trial in study.trials[:2]])
        space.settle({}, proposer.propose([2], [])[0])
    except LrsearchError as error:
        return [Fault("sampler.name", str(error).partition(": ")[2], f'"{PREFIX}{made.__name__}"')]
    finally:
        optuna.logging.set_verbosity(level)
    return []


def _running(
    number: int, params: Mapping[str, Any], axes: Mapping[str, BaseDistribution], stored: FrozenTrial | None
) -> FrozenTrial:
    attributes = {} if stored is None else dict(stored.system_attrs)
    own = {name: axes[name] for name in params}
    made = create_trial(state=TrialState.RUNNING, params=dict(params), distributions=own, system_attrs=attributes)
    made.number = number
    made._trial_id = -1 if stored is None else stored._trial_id
    return made


def _class_of(name: str) -> type[BaseSampler] | None:
    found = getattr(optuna.samplers, name, None)
    usable = inspect.isclass(found) and issubclass(found, BaseSampler) and not inspect.isabstract(found)
    return found if usable else None


@cache
def _options(made: type[BaseSampler]) -> type[OptunaOptions]:
    arguments = _arguments(made).items()
    fields = {name: own for name, argument in arguments if (own := _field(made, argument)) is not None}
    model: type[OptunaOptions] = create_model(f"{made.__name__}Options", __base__=OptunaOptions, **fields)  # type: ignore[call-overload]
    model.made = made
    return model


def _arguments(made: type[BaseSampler]) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(made.__init__).parameters.values()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {own.name: own for own in parameters if own.kind in named and own.name != "self"}


def _field(made: type[BaseSampler], argument: inspect.Parameter) -> tuple[Any, Any] | None:
    """Type and default of an argument's key; None if TOML cannot hold what it takes."""
    if argument.name == "seed":
        return int, Field(default=0, ge=0, lt=2**32)
    wanted = _plain(made, argument)
    if wanted is None:
        return None
    # A sampler that would warn at every trial is told not to.
    warns = argument.name.startswith("warn_") and argument.default is True
    return wanted | None, False if warns else argument.default


def _plain(made: type[BaseSampler], argument: inspect.Parameter) -> Any:
    """An argument's type without None; None if TOML cannot hold it."""
    try:
        hint = typing.get_type_hints(made.__init__).get(argument.name)
    except NameError:  # some hints are there for type checkers only
        hint = {"int": int, "float": float, "bool": bool, "str": str}.get(str(argument.annotation).split(" ")[0])
    union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    kinds = [kind for kind in (typing.get_args(hint) if union else [hint]) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 and kinds[0] in PLAIN else None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
