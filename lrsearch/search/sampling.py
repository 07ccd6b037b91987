"""The samplers a study file may name."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial
from pydantic import Field

from lrsearch.errors import Fault
from lrsearch.registry import samplers
from lrsearch.search import grid
from lrsearch.search.space import Space
from lrsearch.study_file.axes import NoOptions, StrictModel
from lrsearch.study_file.model import Definition, SearchSection


class SeededOptions(StrictModel):
    """Options of every sampler that draws random numbers.

    Attributes:
        seed: Decides what is drawn.
        generation: Trials that a batched engine trains together, asked before any of them is told.
    """

    seed: int = Field(default=0, ge=0, lt=2**32)
    generation: int | None = Field(default=None, ge=1)


class Sampler(ABC):
    """A sampler that a study file may name. One instance serves one study."""

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
    def chosen(space: Space) -> Iterator[dict[str, Any]]:
        """Parameters of the trials that are chosen when the study is created, not when they are asked for."""
        return iter(())

    @staticmethod
    @abstractmethod
    def build(space: Space, seed: int) -> BaseSampler:
        """Optuna's sampler.

        Args:
            space: What is searched.
            seed: The study's seed.
        """


class Random(Sampler):
    """Settings drawn from the search space without regard to earlier trials."""

    @staticmethod
    def build(space: Space, seed: int) -> BaseSampler:
        return PerTrialSampler(lambda own: RandomSampler(seed=own), seed)


class Tpe(Sampler):
    """Tree-structured Parzen estimator: settings that look more like the good trials than like the bad ones."""

    @staticmethod
    def build(space: Space, seed: int) -> BaseSampler:
        return PerTrialSampler(_tpe, seed)


class QuasiRandom(Sampler):
    """Settings that fill the search space evenly: the points of a scrambled Sobol sequence."""

    @staticmethod
    def build(space: Space, seed: int) -> BaseSampler:
        return SobolSampler(space.names(), seed)


class Grid(Sampler):
    """Every combination of the given values, per scheduler type; all are chosen when the study is created."""

    options = NoOptions

    @staticmethod
    def default_trials(definition: Definition) -> int:
        return grid.size(Space.of(definition)) + len(definition.tries)

    @staticmethod
    def faults(search: SearchSection, trials: int | None) -> list[Fault]:
        return grid.faults(Space.of_section(search), trials)

    @staticmethod
    def chosen(space: Space) -> Iterator[dict[str, Any]]:
        return grid.cells(space)

    @staticmethod
    def build(space: Space, seed: int) -> BaseSampler:
        return RandomSampler(seed=seed)


samplers.add("tpe", Tpe)
samplers.add("random", Random)
samplers.add("qmc", QuasiRandom)
samplers.add("grid", Grid)


def build(definition: Definition) -> BaseSampler:
    """The sampler of a study.

    Args:
        definition: Its definition.
    """
    section = definition.sampler
    made: BaseSampler = samplers.get(section.name).build(Space.of(definition), int(section.options.get("seed", 0)))
    return made


def _tpe(seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # Groups: each scheduler type's parameters are modelled together, although no trial has all of them.
        return TPESampler(seed=seed, multivariate=True, group=True)


class PerTrialSampler(BaseSampler):
    """A sampler whose random numbers depend on the study's seed and the trial's number, on nothing else.

    A sampler that lives as long as its process draws other numbers after a restart than without one, and two workers
    with one seed draw the same. Here a study that was interrupted goes on exactly as if it had not been, and workers
    never repeat each other.

    Args:
        make: Makes a sampler from a seed.
        seed: The study's seed.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int) -> None:
        self._make = make
        self._seed = seed
        self._sampler: BaseSampler = make(seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        own = np.random.SeedSequence([self._seed, trial.number]).generate_state(1)[0]
        self._sampler = self._make(int(own))
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: optuna.trial.TrialState, values: Any) -> None:
        self._sampler.after_trial(study, trial, state, values)


class SobolSampler(BaseSampler):
    """Point n of a scrambled Sobol sequence for trial n, with one dimension for every parameter of the space.

    Optuna's own counts its points in the storage, where two processes can take the same one, and leaves parameters
    that not every trial has to chance. Source: Sobol (1967), scrambled as in Owen (1998), from scipy.

    Args:
        names: All parameters of the space.
        seed: Decides the scrambling.
    """

    def __init__(self, names: Sequence[str], seed: int) -> None:
        self._dimension = {name: index for index, name in enumerate(names)}
        self._seed = seed

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        from scipy.stats.qmc import Sobol  # half a second that no other sampler should wait for

        points = Sobol(len(self._dimension), scramble=True, rng=np.random.default_rng(self._seed))
        point = points.random(1) if trial.number == 0 else points.fast_forward(trial.number).random(1)
        share = float(point[0, self._dimension[param_name]])
        return at(param_distribution, share)


def at(distribution: BaseDistribution, share: float) -> Any:
    """The value below which a share of a distribution lies.

    Args:
        distribution: Of floats, integers or choices.
        share: From 0 to 1.
    """
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[min(int(share * len(distribution.choices)), len(distribution.choices) - 1)]
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    integer = isinstance(distribution, IntDistribution)
    # Each integer stands for the interval around it, so that both ends are as likely as the others.
    low, high = distribution.low - 0.5 * integer, distribution.high + 0.5 * integer
    value = low * (high / low) ** share if distribution.log else low + (high - low) * share
    kept = min(max(value, distribution.low), distribution.high)
    return round(kept) if integer else float(kept)
