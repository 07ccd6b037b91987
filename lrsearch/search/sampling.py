"""The samplers a study file may name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial
from pydantic import Field

from lrsearch.registry import samplers
from lrsearch.study_file.axes import StrictModel
from lrsearch.study_file.model import Definition


class SeededOptions(StrictModel):
    """Options of every sampler that draws random numbers."""

    seed: int = Field(default=0, ge=0, lt=2**32)


class Random:
    """Settings drawn from the search space without regard to earlier trials."""

    options: ClassVar[type[StrictModel]] = SeededOptions

    @staticmethod
    def default_trials(definition: Definition) -> int | None:  # noqa: ARG004
        return None

    @staticmethod
    def build(seed: int) -> BaseSampler:
        return RandomSampler(seed=seed)


class Tpe:
    """Tree-structured Parzen estimator: settings that look more like the good trials than like the bad ones."""

    options: ClassVar[type[StrictModel]] = SeededOptions

    @staticmethod
    def default_trials(definition: Definition) -> int | None:  # noqa: ARG004
        return None

    @staticmethod
    def build(seed: int) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # Groups: each scheduler type's parameters are modelled together, although no trial has all of them.
            return TPESampler(seed=seed, multivariate=True, group=True)


samplers.add("random", Random)
samplers.add("tpe", Tpe)


def build(definition: Definition) -> BaseSampler:
    """The sampler of a study.

    Args:
        definition: Its definition.
    """
    section = definition.sampler
    return PerTrialSampler(samplers.get(section.name).build, int(section.options.get("seed", 0)))


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
