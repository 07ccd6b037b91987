"""Trials that somebody else let wait: each row is judged by itself, and none stops the others."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from databases import close
from optuna.trial import TrialState
from sqlalchemy import update

from lrsearch import registry
from lrsearch.search.events import TrialEnded
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.counts import engine_of
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.tables import FIXED_PARAMS, STUDY_USER, SYSTEM
from lrsearch.study import status
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import SequentialEngine

BAD = {
    "lr = -1": {"lr": -1.0, "scheduler": "constant"},
    "lr = 5.0": {"lr": 5.0},
    'lr = "much"': {"lr": "much"},
    "lr = true": {"lr": True},
    "lr = [1]": {"lr": [1]},
    'scheduler = "cosine"': {"scheduler": "cosine"},
    'scheduler = "constnt"': {"scheduler": "constnt"},
    'scheduler = ["constant"]': {"scheduler": ["constant"]},
    "decay = 3.0": {"scheduler": "lambda", "decay": 3.0},
}


@pytest.mark.parametrize("sampler", ["tpe", "random"])
@pytest.mark.parametrize("engine", [SequentialEngine, BatchedEngine])
def test_each_row_that_waits_is_judged_by_itself(
    database_url: str, define: Callable[..., Definition], engine: Any, sampler: str
) -> None:
    definition = define(study={"name": "rows", "trials": 16}, sampler={"name": sampler}, training={"epochs": 1})
    storage = open_storage(database_url)
    stored = studies.create(storage, definition, "mse")
    for params in BAD.values():
        stored.study.enqueue_trial(params)
    stored.study.enqueue_trial({"lr": 0.01, "momentum": 0.9})
    stored.study.enqueue_trial({"lr": 0.01})
    database = engine_of(storage)
    assert database is not None
    cut_off = len(BAD) + 1
    trial_id = stored.study.trials[cut_off]._trial_id
    with database.begin() as connection:  # its JSON ends too early
        own = (SYSTEM.c.trial_id == trial_id, SYSTEM.c.key == FIXED_PARAMS)
        connection.execute(update(SYSTEM).where(*own).values(value_json='{"lr": 0.'))
    # What another tool says has ended teaches nothing, and stops nobody.
    kind = optuna.distributions.CategoricalDistribution(["x", None])
    stored.study.add_trial(optuna.trial.create_trial(value=0.1, params={"lr": "x"}, distributions={"lr": kind}))
    stored.study.add_trial(optuna.trial.create_trial(value=math.inf))
    said: list[str] = []
    task = registry.tasks.get("polynomial").build(definition.task.options)
    events = list(Runner(stored, task, engine(), Interruption(), say=said.append).events())
    failed = {event.number: event.error for event in events if isinstance(event, TrialEnded) and event.refused}
    assert set(failed) == {*range(len(BAD)), cut_off}
    for (received, _), number in zip(BAD.items(), range(len(BAD)), strict=True):
        assert str(failed[number]).startswith(received), failed[number]
    assert "cannot be read" in str(failed[cut_off])
    assert any(f"Trial {len(BAD)} " in line and "momentum" in line for line in said)
    counts = status.count(stored)
    assert (counts.failed, counts.retried, counts.running, counts.waiting) == (len(failed), 0, 0, 0)
    assert counts.complete + counts.pruned + counts.failed == 16
    ended = stored.reader.past_trials(0).values()
    assert any(trial.params.get("lr") == 0.01 for trial in ended if trial.state == TrialState.COMPLETE)
    close(storage)


@pytest.mark.parametrize("key", ["lrsearch:excluded", "lrsearch:generation", "lrsearch:budget", "lrsearch:origin"])
@pytest.mark.parametrize("value", ['"nonsense"', "[1, 2]", "-3", '{"x": 1}', "null"])
def test_attributes_that_somebody_else_wrote_stop_nothing(
    tmp_path: Path,
    define: Callable[..., Definition],
    key: str,
    value: str,
) -> None:
    storage = open_storage(f"sqlite:///{tmp_path}/a.db", create=True)
    definition = define(study={"name": "rows", "trials": 2}, training={"epochs": 1})
    stored = studies.create(storage, definition, "mse")
    stored.study.set_user_attr(key, 1)
    database = engine_of(storage)
    assert database is not None
    with database.begin() as connection:
        connection.execute(update(STUDY_USER).where(STUDY_USER.c.key == key).values(value_json=value))
    task = registry.tasks.get("polynomial").build(definition.task.options)
    list(Runner(studies.load(storage, "rows"), task, BatchedEngine(), Interruption()).events())
    assert status.count(stored).finished == 2
    close(storage)
