"""Samplers: what they draw depends on the study's seed and the trial's number, on nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from lrsearch.search import sampling
from lrsearch.search.space import Space
from lrsearch.study_file.model import Definition


def params(definition: Definition, batches: list[int]) -> list[dict[str, Any]]:
    """The parameters of some trials, with a new process (a new sampler) for every batch."""
    storage = optuna.storages.InMemoryStorage()
    space = Space.of(definition)
    for size in batches:
        study = optuna.create_study(
            storage=storage, study_name="s", sampler=sampling.build(definition), load_if_exists=True
        )
        for _ in range(size):
            trial = study.ask()
            settings = space.suggest(trial)
            study.tell(trial, (settings.lr - 0.01) ** 2)
    return [trial.params for trial in study.trials]


@pytest.mark.parametrize("name", ["random", "tpe", "qmc"])
def test_a_restart_changes_nothing(define: Callable[..., Definition], name: str) -> None:
    definition = define(sampler={"name": name, "seed": 3})
    whole = params(definition, [25])
    assert params(definition, [4, 11, 10]) == whole
    assert len({entry["lr"] for entry in whole}) == 25
    assert params(define(sampler={"name": name, "seed": 4}), [25]) != whole


def test_tpe_learns_where_the_good_trials_are(define: Callable[..., Definition]) -> None:
    drawn = params(define(sampler={"name": "tpe"}), [60])
    late = sorted(abs(entry["lr"] - 0.01) for entry in drawn[30:])[15]
    early = sorted(abs(entry["lr"] - 0.01) for entry in drawn[:10])[5]
    assert late < early


def test_sobol_points_fill_every_axis_evenly(define: Callable[..., Definition]) -> None:
    """In 64 points each eighth of an axis holds 8; random numbers would not do that."""
    search = {"lr": {"low": 0.001, "high": 1.0, "log": True}, "schedulers": ["constant", "lambda"]}
    drawn = params(define(sampler={"name": "qmc", "seed": 5}, search=search), [40, 24])
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
        assert sampling.at(distribution, share) == expected
