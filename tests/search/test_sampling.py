"""Samplers: what they draw depends on the study's seed and the trial's number, on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optuna
import pytest

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


@pytest.mark.parametrize("name", ["random", "tpe"])
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
