"""Spaces with a few settings only: they are counted, and each is trained once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from databases import close

from lrsearch import registry
from lrsearch.sampling import cells
from lrsearch.sampling.ask import Asker, trials_to_train
from lrsearch.sampling.space import Space
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.study import budget, status
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import SequentialEngine

Define = Callable[..., Definition]
TWELVE = {
    "lr": {"choices": [0.001, 0.01, 0.1]},
    "schedulers": ["constant", "lambda"],
    "lambda": {"decay": {"choices": [0.8, 0.9, 0.95]}},
}
SPACES: dict[str, tuple[dict[str, Any], int | None]] = {
    "twelve": (TWELVE, 12),
    "one": ({"lr": 0.01, "schedulers": ["constant"]}, 1),
    "low is high": ({"lr": {"low": 0.1, "high": 0.1}, "schedulers": ["constant"]}, 1),
    "whole numbers": (
        {"lr": 0.1, "schedulers": ["plateau"],
         "plateau": {"patience": {"low": 2, "high": 5}, "factor": 0.5, "threshold": 0.0001}}, 4,
    ),
    "continuous": ({"schedulers": ["constant"]}, None),
    "half continuous": ({"lr": {"choices": [0.01, 0.1]}, "schedulers": ["constant", "lambda"]}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", SPACES)
def test_settings_are_counted_as_they_are_listed(define: Define, name: str) -> None:
    search, size = SPACES[name]
    definition = define(study={"name": "s", "trials": 40}, search=search)
    space = Space.of(definition)
    assert cells.count(space) == size
    if size is not None:
        listed = list(cells.cells(space))
        assert len(list(cells.distinct(listed))) == len(listed) == size
    assert trials_to_train(definition) == (size or 40)
    assert cells.count(Space.of(definition, seeded=True)) is None, "seeds of their own were asked for"


@pytest.mark.parametrize("engine", [SequentialEngine, BatchedEngine])
@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_each_cell_is_trained_once_and_then_the_study_ends(
    tmp_path: Path,
    define: Define,
    sampler: str,
    engine: Any,
) -> None:
    definition = define(
        study={"name": "s", "trials": 40}, search=TWELVE, sampler={"name": sampler}, training={"epochs": 1},
        **{"try": [{"lr": 0.01, "scheduler": "lambda", "decay": 0.9}] * 2},
    )  # fmt: skip
    storage = open_storage(f"sqlite:///{tmp_path}/s.db", create=True)
    stored = studies.create(storage, definition, "mse")
    task = registry.tasks.get("polynomial").build(definition.task.options)
    list(Runner(stored, task, engine(), Interruption()).events())
    counts = status.count(stored)
    assert counts.budget == counts.complete + counts.pruned + counts.failed == 12
    assert len({tuple(sorted(trial.params.items())) for trial in stored.trials()}) == 12
    assert stored.definition is not None
    assert stored.definition.trials == 40, "so that its file still matches"
    grown = budget.set_budget(stored, 50)
    assert (grown.budget, status.count(grown).is_done) == (12, True)
    close(storage)


def test_a_type_with_few_settings_beside_one_with_many_repeats_none(define: Define, tmp_path: Path) -> None:
    definition = define(study={"name": "s", "trials": 20}, search=SPACES["half continuous"][0], training={"epochs": 1})
    storage = open_storage(f"sqlite:///{tmp_path}/s.db", create=True)
    stored = studies.create(storage, definition, "mse")
    task = registry.tasks.get("polynomial").build(definition.task.options)
    list(Runner(stored, task, SequentialEngine(), Interruption()).events())
    assert len({tuple(sorted(trial.params.items())) for trial in stored.trials()}) == 20
    close(storage)


def test_workers_that_choose_at_the_same_moment_do_not_choose_the_same(database_url: str, define: Define) -> None:
    """Both ask before either has stored its answer; the later one is refused what is taken, and asks again."""
    definition = define(study={"name": "s", "trials": 40}, search=TWELVE, sampler={"name": "random"})
    storage = open_storage(database_url)
    stored = studies.create(storage, definition, "mse")
    store = trial_store(stored.study, storage)
    first, second = (store.claim(6, 12, Worker.this().as_dict()) for _ in range(2))
    askers = [Asker(definition, stored.reader) for _ in range(2)]
    asked = [asker.ask(claims) for asker, claims in zip(askers, (first, second), strict=True)]
    chosen = [{claim.trial_id: own for claim, own in answer.chosen.items()} for answer in asked]
    once = [[claim.trial_id for claim in answer.once] for answer in asked]
    assert store.choose(chosen[0], once[0]) == set()
    refused = store.choose(chosen[1], once[1])
    assert refused, "six of twelve drawn twice without a look at each other"
    again = askers[1].ask([claim for claim in second if claim.trial_id in refused])
    assert store.choose({c.trial_id: own for c, own in again.chosen.items()}, [c.trial_id for c in again.once]) == set()
    assert len({tuple(sorted(trial.params.items())) for trial in stored.study.trials}) == 12
    close(storage)
