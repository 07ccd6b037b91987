"""Samplers: what they draw depends on the study's seed and the trial's number, on nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from lrsearch.sampling import samplers
from lrsearch.sampling.ask import choose
from lrsearch.sampling.proposer import at
from lrsearch.sampling.space import Space
from lrsearch.storage.past_trials import PastTrial
from lrsearch.study_file.model import Definition


def search(definition: Definition, batches: list[int]) -> list[dict[str, Any]]:
    """The parameters of some trials, with a new process (a new proposer) for every batch, all asked one by one."""
    space = Space.of(definition)
    told: list[PastTrial] = []
    for size in batches:
        proposer = samplers.build(definition)
        for number in range(len(told), len(told) + size):
            proposer.learn(told)
            params = choose(proposer, space, {number: {}}, [])[number].params
            told.append(PastTrial(number, TrialState.COMPLETE, params, (params["lr"] - 0.01) ** 2))
    return [dict(trial.params) for trial in told]


@pytest.mark.parametrize("name", ["random", "tpe", "qmc"])
def test_a_restart_changes_nothing(define: Callable[..., Definition], name: str) -> None:
    definition = define(sampler={"name": name, "seed": 3})
    whole = search(definition, [25])
    assert search(definition, [4, 11, 10]) == whole
    assert len({entry["lr"] for entry in whole}) == 25
    assert search(define(sampler={"name": name, "seed": 4}), [25]) != whole


def test_sobol_points_fill_every_axis_evenly(define: Callable[..., Definition]) -> None:
    """In 64 points each eighth of an axis holds 8; random numbers would not do that."""
    axes = {"lr": {"low": 0.001, "high": 1.0, "log": True}, "schedulers": ["constant", "lambda"]}
    drawn = search(define(sampler={"name": "qmc", "seed": 5}, search=axes), [40, 24])
    eighths = [int((math.log10(entry["lr"]) + 3) / 3 * 8) for entry in drawn]
    assert [eighths.count(index) for index in range(8)] == [8] * 8
    assert [entry["scheduler"] for entry in drawn].count("lambda") == 32


@pytest.mark.parametrize(
    ("distribution", "values"),
    [
        (FloatDistribution(0.1, 10.0, log=True), {0.0: 0.1, 0.5: 1.0, 1.0: 10.0}),
        (FloatDistribution(2.0, 4.0), {0.0: 2.0, 0.25: 2.5, 1.0: 4.0}),
        (FloatDistribution(3.0, 3.0), {0.0: 3.0, 0.7: 3.0}),
        (IntDistribution(1, 4), {0.0: 1, 0.24: 1, 0.26: 2, 0.99: 4, 1.0: 4}),
        (CategoricalDistribution(["a", "b"]), {0.0: "a", 0.49: "a", 0.5: "b", 1.0: "b"}),
    ],
)
def test_share_of_a_distribution(distribution: BaseDistribution, values: dict[float, Any]) -> None:
    for share, value in values.items():
        expected = pytest.approx(value) if isinstance(value, float) else value
        assert at(distribution, share) == expected
