"""A study that keeps the best epoch of each run, as most people do with checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from optuna.trial import TrialState

from lrsearch import registry
from lrsearch.sampling.space import settings_from
from lrsearch.search.kept_epoch import Rule
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.attributes import KEPT_EPOCHS, SEED_VALUES, STOPPED_AT
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.rung_trials import RungTrial
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Engine, SequentialEngine
from lrsearch.training.loop import start, train
from lrsearch.training.parallel import ParallelEngine

Define = Callable[..., Definition]
ENGINES = [SequentialEngine(), BatchedEngine(), ParallelEngine()]


def searched(definition: Definition, engine: Engine, maximise: bool = False) -> tuple[StoredStudy, Task]:
    task: Task = registry.tasks.get(definition.task.name).build(definition.task.options)
    direction: Literal["minimize", "maximize"] = "maximize" if maximise else "minimize"
    metric, sign = task.metric_function, -1 if maximise else 1
    task = replace(task, metric=lambda outputs, targets: sign * metric(outputs, targets), direction=direction, extra={})
    stored = studies.create(open_storage("sqlite://"), definition, "m", direction=direction)
    list(Runner(stored, task, engine, Interruption()).events())
    return stored, task


def defined(define: Define, **sections: Any) -> Definition:
    document: dict[str, Any] = {
        "study": {"name": "kept", "trials": 8, "value": "best"},
        "training": {"epochs": 8, "batch_size": 14, "seeds": [1, 2]},
        "search": {"schedulers": ["constant"], "lr": {"low": 1e-3, "high": 0.3, "log": True}},
        "sampler": {"name": "random", "seed": 1},
        "pruner": {"name": "none"},
    }
    return define(**{**document, **sections})


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@pytest.mark.parametrize("maximise", [False, True])
def test_the_value_is_the_mean_of_each_seeds_best_epoch(define: Define, engine: Engine, maximise: bool) -> None:
    """A plain loop that looks for the best epoch of each seed comes to the same."""
    definition = defined(define)
    stored, task = searched(definition, engine, maximise)
    better, differ = max if maximise else min, 0
    for trial in stored.trials():
        settings = settings_from(trial.params)
        curves = []
        for seed in definition.training.seeds:
            run = start(task, settings.schedule, settings.lr, definition.training, seed)
            curves.append([record.test_metric for record in train(run)])
        best = [better(curve) for curve in curves]
        assert trial.values[0] == pytest.approx(np.mean(best), rel=1e-3)
        assert trial.user_attrs[SEED_VALUES] == pytest.approx(best, rel=1e-3)
        if engine.name != "batched":
            assert trial.user_attrs[KEPT_EPOCHS] == [curve.index(value) + 1 for curve, value in zip(curves, best)]  # noqa: B905
        assert list(trial.intermediate_values.values()) == pytest.approx(np.mean(curves, axis=0), rel=1e-3)
        differ += trial.user_attrs[KEPT_EPOCHS] != [8, 8]
    assert differ, "otherwise the last epoch would do"


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@pytest.mark.parametrize("value", ["last", "best"])
def test_a_run_that_has_stopped_is_complete(define: Define, engine: Engine, value: str) -> None:
    """Its seeds stop one by one, and each is worth what it came to."""
    training = {"epochs": 12, "batch_size": 14, "seeds": [1, 2], "patience": 2}
    definition = defined(define, study={"name": "kept", "trials": 8, "value": value}, training=training)
    stored, task = searched(definition, engine)
    assert {trial.state for trial in stored.trials()} == {TrialState.COMPLETE}
    assert any(trial.user_attrs.get(STOPPED_AT, 12) < 12 for trial in stored.trials())
    for trial in stored.trials():
        settings = settings_from(trial.params)
        runs = [start(task, settings.schedule, settings.lr, definition.training, seed) for seed in (1, 2)]
        curves = [[record.test_metric for record in train(run)] for run in runs]
        expected = [min(curve) if value == "best" else curve[-1] for curve in curves]
        if engine.name != "batched":
            assert trial.user_attrs[SEED_VALUES] == expected
            assert max(trial.intermediate_values) == max(map(len, curves))
        assert trial.values[0] == pytest.approx(np.mean(trial.user_attrs[SEED_VALUES]))


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@pytest.mark.parametrize("pruner", ["halving", "extrapolation", "median", "hyperband"])
def test_a_mirrored_metric_gives_the_mirrored_study(define: Define, engine: Engine, pruner: str) -> None:
    definition = defined(
        define, study={"name": "kept", "trials": 12, "value": "best"}, pruner={"name": pruner}, training={"epochs": 4}
    )
    (down, _), (up, _) = (searched(definition, engine, maximise) for maximise in (False, True))
    assert [trial.state for trial in down.trials()] == [trial.state for trial in up.trials()]
    assert [-trial.values[0] for trial in down.trials()] == [trial.values[0] for trial in up.trials()]


def test_a_trial_is_compared_by_its_best_value_so_far() -> None:
    trials = {3: RungTrial(3, TrialState.RUNNING, "constant", {1: 5.0, 2: 4.0, 3: 6.0, 4: 3.0})}
    assert Rule().compared(trials) is trials
    assert Rule(best=True).compared(trials)[3].values == {1: 5.0, 2: 4.0, 3: 4.0, 4: 3.0}
    assert Rule(best=True, maximise=True).compared(trials)[3].values == {1: 5.0, 2: 5.0, 3: 6.0, 4: 6.0}
