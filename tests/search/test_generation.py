"""A generation is split where memory is short or a trial fails, and no number changes by it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import pytest
import torch
from optuna.trial import FrozenTrial, TrialState

from lrsearch import registry
from lrsearch.errors import LrsearchError
from lrsearch.search import generation
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import status
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane, LaneStream

Define = Callable[..., Definition]


class Fussy(BatchedEngine):
    """Fails where `refuses` says so, in the middle of training."""

    def __init__(self, refuses: Callable[[Sequence[Lane]], Exception | None]) -> None:
        super().__init__()
        self.refuses = refuses
        self.trained: list[int] = []

    def train(
        self, task: Task, lanes: Sequence[Lane], training: TrainingSection, pauses: Collection[int] = ()
    ) -> LaneStream:
        self.trained.append(len(lanes))
        stream = super().train(task, lanes, training, pauses)
        kept = yield next(stream)
        while True:
            try:
                records = stream.send(kept)
            except StopIteration:
                return
            if records.epoch == 3 and (error := self.refuses([lanes[index] for index in records.lanes])):
                raise error
            kept = yield records


def finished(definition: Definition, engine: BatchedEngine, task: Task | None = None) -> StoredStudy:
    stored = studies.create(open_storage("sqlite://"), definition, "mse")
    task = task or registry.tasks.get(definition.task.name).build(definition.task.options)
    list(Runner(stored, task, engine, Interruption()).events())
    return stored


def numbers(trials: Sequence[FrozenTrial]) -> list[tuple[object, ...]]:
    return [
        (t.params, t.intermediate_values, t.value, t.user_attrs["place"], t.user_attrs["seed_values"]) for t in trials
    ]


@pytest.fixture
def unpruned(define: Define) -> Definition:
    return define(
        study={"name": "split", "trials": 21},
        training={"epochs": 4, "batch_size": 14, "seeds": [1, 2, 3]},
        pruner={"name": "none"},
    )


def test_halves_after_running_out_of_memory_give_the_same_numbers(unpruned: Definition) -> None:
    engine = Fussy(lambda lanes: torch.OutOfMemoryError("CUDA out of memory") if len(lanes) > 20 else None)
    found = finished(unpruned, engine)
    assert engine.trained == [63, 33, 18, 15, 30, 15, 15]
    assert numbers(found.trials()) == numbers(finished(unpruned, BatchedEngine()).trials())


def test_passes_that_fit_give_the_same_numbers(unpruned: Definition, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = numbers(finished(unpruned, BatchedEngine()).trials())
    monkeypatch.setattr(generation, "most_lanes", lambda *_: 32)
    engine = Fussy(lambda _: None)
    assert numbers(finished(unpruned, engine).trials()) == expected
    assert engine.trained == [30, 30, 3]


def test_what_is_told_before_a_pass_fails_stays_told(define: Define) -> None:
    """What was pruned at a rung is not trained again, and what passed it is not compared there again."""
    definition = define(
        study={"name": "pruned", "trials": 20},
        search={"schedulers": ["constant"]},
        pruner={"name": "halving", "rungs": [0.5]},
    )
    engine = Fussy(lambda lanes: MemoryError() if len(lanes) > 5 else None)
    found = finished(definition, engine)
    assert engine.trained == [20, 4, 3]
    counts = status.count(found)
    assert (counts.pruned, counts.complete, counts.failed) == (13, 7, 0)


def test_one_bad_trial_fails_alone(define: Define) -> None:
    bad = []

    def refuses(lanes: Sequence[Lane]) -> Exception | None:
        bad[:] = bad or [lanes[7].lr]
        return RuntimeError("singular matrix") if bad[0] in [lane.lr for lane in lanes] else None

    found = finished(define(study={"name": "bad", "trials": 20}, pruner={"name": "none"}), Fussy(refuses))
    failed = [trial for trial in found.trials() if trial.state == TrialState.FAIL]
    assert [(trial.number, trial.user_attrs["error"]) for trial in failed] == [(7, "RuntimeError: singular matrix")]
    assert status.count(found).complete == 19


def test_a_task_that_always_fails_ends_the_run_and_hands_the_rest_back(define: Define) -> None:
    definition = define(study={"name": "broken", "trials": 20}, pruner={"name": "none"})
    stored = studies.create(open_storage("sqlite://"), definition, "mse")
    task = registry.tasks.get("polynomial").build(definition.task.options)
    engine = Fussy(lambda _: RuntimeError("no luck"))
    with pytest.raises(LrsearchError, match="3 trials failed one after the other; the last: RuntimeError: no luck"):
        list(Runner(stored, task, engine, Interruption()).events())
    counts = status.count(stored)
    assert (counts.failed, counts.waiting, counts.running) == (3, 17, 0)


def test_the_spread_over_seeds_is_stored(unpruned: Definition) -> None:
    for trial in finished(unpruned, BatchedEngine()).trials():
        values = torch.tensor(trial.user_attrs["seed_values"], dtype=torch.float64)
        assert trial.value == pytest.approx(float(values.mean()))
        assert trial.user_attrs["seed_spread"] == pytest.approx(float(values.std()))


def test_a_generation_keeps_its_size_when_the_study_grows(define: Define) -> None:
    definition = define(study={"name": "grows", "trials": 40})
    stored = studies.create(open_storage("sqlite://"), definition, "mse")
    grown = replace(stored, definition=define(study={"name": "grows", "trials": 4000}))
    assert (stored.generation, grown.generation) == (64, 64)
