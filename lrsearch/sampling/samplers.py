"""The samplers a study file may name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Any, ClassVar

import optuna
from pydantic import Field

from lrsearch.errors import Fault
from lrsearch.registry import samplers
from lrsearch.sampling import cells, grid, optuna_samplers
from lrsearch.sampling.proposer import Proposer, Sobol, Uniform
from lrsearch.sampling.space import Space
from lrsearch.sampling.tpe import ParzenEstimator
from lrsearch.study_file.axes import NoOptions, StrictModel
from lrsearch.study_file.model import Definition, SearchSection


class SeededOptions(StrictModel):
    """Options of every sampler that draws random numbers.

    Attributes:
        seed: Decides what is drawn.
        generation: Trials that a batched engine trains together, asked before any of them is told.
    """

    seed: int = Field(default=0, ge=0, lt=2**32)
    generation: int | None = Field(default=None, ge=1, le=100_000)


class Sampler(ABC):
    """A sampler that a study file may name."""

    options: ClassVar[type[StrictModel]] = SeededOptions

    @staticmethod
    def default_trials(definition: Definition) -> int | None:
        """How many trials a study has whose file does not say; None for the general default."""
        return None

    @staticmethod
    def faults(search: SearchSection, trials: int | None) -> list[Fault]:
        """What in the search section, or in the number of trials that are not tried settings, does not suit."""
        return []

    @staticmethod
    def settings(definition: Definition, space: Space) -> int | None:
        """How many different settings a study can come to; None where there is no end of them."""
        return cells.count(space)

    @staticmethod
    def chosen(space: Space) -> Iterator[dict[str, Any]]:
        """Parameters of the trials that are chosen when the study is created, not when they are asked for."""
        return iter(())

    @classmethod
    @abstractmethod
    def of(cls, definition: Definition, study: optuna.Study | None) -> Proposer:
        """What proposes a study's settings.

        Args:
            definition: The study's.
            study: The study itself, for samplers that look at more than settings and values.
        """


class Seeded(Sampler):
    """A sampler of ours: it needs the search space and a seed, and nothing else."""

    @staticmethod
    @abstractmethod
    def build(space: Space, seed: int) -> Proposer:
        """What proposes the study's settings.

        Args:
            space: What is searched.
            seed: The study's seed.
        """

    @classmethod
    def of(cls, definition: Definition, study: optuna.Study | None) -> Proposer:  # noqa: ARG003
        """See `Sampler.of`."""
        return cls.build(Space.of(definition), int(definition.sampler.options.get("seed", 0)))


class Random(Seeded):
    """Settings drawn from the search space without regard to earlier trials."""

    @staticmethod
    def build(space: Space, seed: int) -> Proposer:
        return Uniform(seed)


class Tpe(Seeded):
    """Tree-structured Parzen estimator: settings that look more like the good trials than like the bad ones."""

    @staticmethod
    def build(space: Space, seed: int) -> Proposer:
        return ParzenEstimator(space, seed)


class QuasiRandom(Seeded):
    """Settings that fill the search space evenly: the points of a scrambled Sobol sequence."""

    @staticmethod
    def build(space: Space, seed: int) -> Proposer:
        return Sobol(space.names(), seed)


class Grid(Seeded):
    """Every combination of the given values, per scheduler type; all are chosen when the study is created."""

    options = NoOptions

    @staticmethod
    def default_trials(definition: Definition) -> int:
        return Grid.settings(definition, Space.of(definition))

    @staticmethod
    def settings(definition: Definition, space: Space) -> int:
        tried = (space.params_of(entry) for entry in definition.tries)
        return sum(1 for _ in cells.distinct(chain(tried, grid.cells(space))))

    @staticmethod
    def faults(search: SearchSection, trials: int | None) -> list[Fault]:
        return grid.faults(Space.of_section(search), trials)

    @staticmethod
    def chosen(space: Space) -> Iterator[dict[str, Any]]:
        return grid.cells(space)

    @staticmethod
    def build(space: Space, seed: int) -> Proposer:
        return Uniform(seed)


class OfOptuna(Sampler):
    """A class of `optuna.samplers`, asked for one trial after the other."""

    made: ClassVar[type[optuna.samplers.BaseSampler]]

    @classmethod
    def named(cls, name: str) -> type[Sampler] | None:
        """The sampler of a name such as ``optuna:GPSampler``; None if Optuna has none of that name.

        Args:
            name: As in a study file.
        """
        options = optuna_samplers.options_of(name)
        return None if options is None else _of_optuna(options)

    @classmethod
    def of(cls, definition: Definition, study: optuna.Study | None) -> Proposer:
        assert study is not None, "a sampler of Optuna needs its study"
        return optuna_samplers.OptunaProposer(cls.made, definition.sampler.options, Space.of(definition), study)


@cache
def _of_optuna(options: type[optuna_samplers.OptunaOptions]) -> type[Sampler]:
    """The sampler of a class; `faults` is a static method of its own, since others are asked without an instance."""

    def faults(search: SearchSection, trials: int | None) -> list[Fault]:  # noqa: ARG001
        return optuna_samplers.faults(options.made, Space.of_section(search))

    own = {"options": options, "made": options.made, "faults": staticmethod(faults), "__doc__": options.made.__doc__}
    return type(options.made.__name__, (OfOptuna,), own)


samplers.add("tpe", Tpe)
samplers.add("random", Random)
samplers.add("qmc", QuasiRandom)
samplers.add("grid", Grid)
samplers.add_prefix(optuna_samplers.PREFIX, OfOptuna.named, optuna_samplers.names)


def build(definition: Definition, study: optuna.Study | None = None) -> Proposer:
    """What proposes the settings of a study.

    Args:
        definition: Its definition.
        study: The study itself, which a sampler of Optuna needs.
    """
    made: Proposer = samplers.get(definition.sampler.name).of(definition, study)
    return made
