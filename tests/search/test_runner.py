"""The search loop: what it stores, when it prunes, how it treats diverged and failing trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from lrsearch import registry
from lrsearch.errors import LrsearchError
from lrsearch.sampling.space import settings_from
from lrsearch.search.events import Event, TrialEnded
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import TrialEnd
from lrsearch.study import control, status
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import SequentialEngine
from lrsearch.training.loop import start, train


@pytest.fixture
def storage(tmp_path: Path) -> BaseStorage:
    return open_storage(f"sqlite:///{tmp_path}/test.db", create=True)


def task_of(definition: Definition) -> Task:
    task: Task = registry.tasks.get(definition.task.name).build(definition.task.options)
    return task


def run(stored: StoredStudy, task: Task | None = None) -> list[Event]:
    assert stored.definition is not None
    runner = Runner(stored, task or task_of(stored.definition), SequentialEngine(), Interruption())
    return list(runner.events())


def test_everything_about_a_trial_is_in_the_database(storage: BaseStorage, define: Callable[..., Definition]) -> None:
    """The curves read back are those that the loop gives for the stored settings."""
    definition = define(pruner={"name": "none"})
    stored = studies.create(storage, definition, "mse")
    run(stored)
    for trial in stored.study.trials:
        settings = settings_from(trial.params)
        records = list(train(start(task_of(definition), settings.schedule, settings.lr, definition.training, 24)))
        assert trial.state == TrialState.COMPLETE
        assert trial.intermediate_values == {r.epoch: r.test_metric for r in records}
        assert trial.value == records[-1].test_metric
        assert trial.user_attrs["train_curve"] == [r.train_metric for r in records]
        assert trial.user_attrs["lr_curve"] == [r.lr for r in records]
        assert trial.user_attrs["engine"] == "sequential"
        assert trial.user_attrs["threads"] == 1


def test_the_sampler_learns_from_the_trials_before(tmp_path: Path, define: Callable[..., Definition]) -> None:
    """After its ten random trials TPE proposes what random sampling does not, one by one and by generations."""
    for engine in (SequentialEngine(), BatchedEngine()):
        drawn = {}
        for sampler in ("tpe", "random"):
            definition = define(
                study={"name": sampler, "trials": 24},
                sampler={"name": sampler, "generation": 12},
                training={"epochs": 1},
                pruner={"name": "none"},
            )
            url = f"sqlite:///{tmp_path}/{engine.name}-{sampler}.db"
            stored = studies.create(open_storage(url, create=True), definition, "mse")
            list(Runner(stored, task_of(definition), engine, Interruption()).events())
            drawn[sampler] = [trial.params for trial in stored.study.trials]
        assert drawn["tpe"][:10] == drawn["random"][:10]
        same = [drawn["tpe"][n] == drawn["random"][n] for n in range(14, 24)]
        assert not any(same)


def test_the_value_is_the_mean_over_seeds(storage: BaseStorage, define: Callable[..., Definition]) -> None:
    definition = define(training={"epochs": 3, "seeds": [1, 2, 3]}, study={"name": "seeds", "trials": 2})
    stored = studies.create(storage, definition, "mse")
    run(stored)
    for trial in stored.study.trials:
        settings = settings_from(trial.params)
        values = [
            list(train(start(task_of(definition), settings.schedule, settings.lr, definition.training, seed)))[-1]
            for seed in (1, 2, 3)
        ]
        assert trial.user_attrs["seed_values"] == [record.test_metric for record in values]
        assert trial.value == pytest.approx(sum(record.test_metric for record in values) / 3)


def test_pruned_trials_end_at_a_rung(storage: BaseStorage, define: Callable[..., Definition]) -> None:
    definition = define(
        study={"name": "rungs", "trials": 25}, training={"epochs": 8}, pruner={"name": "halving", "rungs": [0.25, 0.5]}
    )
    stored = studies.create(storage, definition, "mse")
    events = run(stored)
    counts = status.count(stored)
    assert counts.complete + counts.pruned == 25 == sum(isinstance(event, TrialEnded) for event in events)
    assert counts.pruned > 0
    for trial in stored.study.trials:
        last = max(trial.intermediate_values)
        assert sorted(trial.intermediate_values) == list(range(1, last + 1))
        assert last == 8 if trial.state == TrialState.COMPLETE else last in (2, 4)
        assert len(trial.user_attrs["train_curve"]) == last
        assert trial.value == trial.intermediate_values[last]


def test_diverged_trials_rank_last(storage: BaseStorage, define: Callable[..., Definition]) -> None:
    definition = define(
        study={"name": "wild", "trials": 8},
        task={"name": "polynomial", "rows": 60, "batch_norm": "none", "activation": "relu"},
        search={"lr": {"choices": [0.001, 1e6]}, "schedulers": ["constant"]},
        training={"epochs": 5},
    )
    stored = studies.create(storage, definition, "mse")
    run(stored)
    wild = [trial for trial in stored.study.trials if trial.params["lr"] == 1e6]
    assert wild
    for trial in wild:
        assert trial.state == TrialState.COMPLETE
        assert trial.constraints == {"diverged": 1.0}
        assert trial.value == trial.user_attrs["before_training"]
        assert trial.user_attrs["diverged_at"] == len(trial.intermediate_values)
    assert status.count(stored).diverged == len(wild)
    assert stored.study.best_trial.params["lr"] == 0.001
    best = status.best(stored)
    assert best is not None
    assert best.number == stored.study.best_trial.number


def test_a_trial_that_fails_is_kept_with_its_reason_and_the_others_go_on(
    storage: BaseStorage, define: Callable[..., Definition]
) -> None:
    stored = studies.create(storage, define(), "mse")
    assert stored.definition is not None
    good = task_of(stored.definition)
    made = 0

    def model() -> torch.nn.Module:
        nonlocal made
        made += 1
        if made == 2:
            raise RuntimeError("out of luck")
        return good.model()

    run(stored, Task(model=model, train=good.train, test=good.test, loss="mse", metric="mse"))
    states = [trial.state for trial in stored.study.trials]
    assert states.count(TrialState.FAIL) == 1
    assert stored.study.trials[1].user_attrs["error"] == "RuntimeError: out of luck"
    counts = status.count(stored)
    assert counts.complete + counts.pruned + counts.failed == counts.budget == 6


def test_three_failures_in_a_row_end_the_run(storage: BaseStorage, define: Callable[..., Definition]) -> None:
    stored = studies.create(storage, define(), "mse")
    data = (torch.zeros(4, 3), torch.zeros(4, 1))
    broken = Task(model=lambda: torch.nn.Linear(2, 1), train=data, test=data, loss="mse", metric="mse")
    with pytest.raises(LrsearchError, match="3 trials failed one after the other"):
        run(stored, broken)
    assert status.count(stored).failed == 3


def test_a_consumer_that_stops_listening_hands_the_trial_back(
    storage: BaseStorage, define: Callable[..., Definition]
) -> None:
    stored = studies.create(storage, define(), "mse")
    assert stored.definition is not None
    events = Runner(stored, task_of(stored.definition), SequentialEngine(), Interruption()).events()
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert [trial.state for trial in stored.study.trials] == [TrialState.FAIL, TrialState.WAITING]
    counts = status.count(stored)
    assert (counts.retried, counts.failed, counts.waiting) == (1, 0, 1)


@pytest.mark.parametrize("pruner", ["halving", "median", "percentile", "hyperband"])
def test_pruners_work_with_trials_that_are_run_again(
    storage: BaseStorage, define: Callable[..., Definition], pruner: str
) -> None:
    """What an interrupted trial left behind counts once, not twice."""
    definition = define(study={"name": "again", "trials": 14}, training={"epochs": 9}, pruner={"name": pruner})
    stored = studies.create(storage, definition, "mse")
    for taken in (31, 45):
        events = Runner(
            studies.load(storage, "again"), task_of(definition), SequentialEngine(), Interruption()
        ).events()
        for _ in range(taken):
            next(events)
        events.close()  # type: ignore[attr-defined]
    run(studies.load(storage, "again"))
    counts = status.count(stored)
    assert (counts.complete + counts.pruned, counts.failed) == (14, 0)
    assert counts.retried >= 1
    trials = stored.study.trials
    for trial in trials:
        if "retry_of" in trial.user_attrs:
            original = trials[trial.user_attrs["retry_of"]]
            assert original.params == trial.params
            shared = set(original.intermediate_values) & set(trial.intermediate_values)
            assert all(original.intermediate_values[epoch] == trial.intermediate_values[epoch] for epoch in shared)
        if trial.state == TrialState.PRUNED:
            assert trial.value == trial.intermediate_values[len(trial.user_attrs["train_curve"])]


def test_a_stopped_study_takes_no_further_trial(storage: BaseStorage, define: Callable[..., Definition]) -> None:
    stored = studies.create(storage, define(), "mse")
    assert stored.definition is not None
    events = Runner(stored, task_of(stored.definition), SequentialEngine(), Interruption()).events()
    next(events)
    control.stop(stored, True)
    assert sum(isinstance(event, TrialEnded) for event in events) == 1
    control.stop(stored, False)
    run(stored)
    assert status.count(stored).finished == 6


def test_timeout_takes_no_further_trial(storage: BaseStorage, define: Callable[..., Definition]) -> None:
    stored = studies.create(storage, define(), "mse")
    assert stored.definition is not None
    runner = Runner(stored, task_of(stored.definition), SequentialEngine(), Interruption(), timeout=0)
    assert list(runner.events()) == []
    assert math.isinf(
        Runner(stored, task_of(stored.definition), SequentialEngine(), Interruption()).deadline or math.inf
    )


def test_short_trials_are_claimed_together_by_workers_that_share_a_study(
    storage: BaseStorage, define: Callable[..., Definition], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same trials as one at a time, where the sampler learns nothing; one worker alone takes one at a time."""
    sections = {"training": {"epochs": 1, "batch_size": 14}, "sampler": {"name": "random"}, "pruner": {"name": "none"}}
    monkeypatch.setattr("lrsearch.search.claim_size.AHEAD", 1e6)
    trained, claims = [], []
    for workers in (1, 2):
        definition = define(study={"name": f"by {workers}", "trials": 40}, **sections)
        stored = studies.create(storage, definition, "mse")
        runner = Runner(stored, task_of(definition), SequentialEngine(), Interruption(), workers=workers)
        sizes: list[int] = []
        claim = runner.store.claim
        monkeypatch.setattr(runner.store, "claim", lambda n, *own, to=sizes, real=claim: to.append(n) or real(n, *own))
        list(runner.events())
        claims.append(sizes)
        trained.append([(own.params, own.value, own.intermediate_values) for own in stored.study.trials])
    assert trained[0] == trained[1]
    assert set(claims[0]) == {1}
    assert claims[1][:3] == [1, 4, 4]
    assert claims[1][-1] == 1
    assert len(claims[1]) < 30


def test_waiting_for_the_database_makes_no_claim_smaller(
    storage: BaseStorage, define: Callable[..., Definition], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that waits for many others would claim one trial at a time for it, and they would wait on."""
    seconds = 0.0

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return seconds

    monkeypatch.setattr("lrsearch.search.training_pass.time", Clock)
    definition = define(study={"name": "waiting", "trials": 40}, training={"epochs": 1}, pruner={"name": "none"})
    stored = studies.create(storage, definition, "mse")
    runner = Runner(stored, task_of(definition), SequentialEngine(), Interruption(), workers=2)
    sizes: list[int] = []
    claim, finish = runner.store.claim, runner.store.finish

    def late(ends: Sequence[TrialEnd]) -> set[int]:
        nonlocal seconds
        seconds += 60.0
        return finish(ends)

    monkeypatch.setattr(runner.store, "claim", lambda number, *own: sizes.append(number) or claim(number, *own))
    monkeypatch.setattr(runner.store, "finish", late)
    for event in runner.events():
        if isinstance(event, TrialEnded) and event.number > 1:
            break
    assert sizes == [1, 4]


def test_what_was_claimed_together_and_not_begun_is_handed_back(
    storage: BaseStorage, define: Callable[..., Definition], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrsearch.search.claim_size.AHEAD", 1e6)
    definition = define(study={"name": "ended", "trials": 40}, training={"epochs": 1}, pruner={"name": "none"})
    stored = studies.create(storage, definition, "mse")
    runner = Runner(stored, task_of(definition), SequentialEngine(), Interruption(), workers=2)
    ends = (event for event in runner.events() if isinstance(event, TrialEnded))
    next(ends)
    next(ends)
    ends.close()
    counts = status.count(studies.load(storage, "ended"))
    assert (counts.complete, counts.running, counts.waiting, counts.failed) == (2, 0, 3, 0)
