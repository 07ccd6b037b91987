"""A worker that stays: fair between studies, quick to see new ones, and never brought down by one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import torch
from databases import close
from optuna.storages import BaseStorage
from optuna.trial import TrialState

import lrsearch
from lrsearch.errors import InputError, InterruptedRunError
from lrsearch.launch.metrics import Monitor
from lrsearch.registry import tasks
from lrsearch.search import worker
from lrsearch.search.engines import Engines, Machine
from lrsearch.search.events import EpochDone, Event, TrialBegan, TrialEnded
from lrsearch.search.worker import StudyWorker
from lrsearch.signals import Interruption
from lrsearch.storage.attributes import RECOMMENDATION
from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import TrialEnd
from lrsearch.study import budget, control, recommendation
from lrsearch.study import retry as retrying
from lrsearch.study import status as standing
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition

Define = Callable[..., Definition]
Create = Callable[..., StoredStudy]


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[BaseStorage]:
    opened = open_storage(f"sqlite:///{tmp_path}/s.db", create=True)
    yield opened
    close(opened)


@pytest.fixture
def create(storage: BaseStorage, define: Define) -> Create:
    """Creates a small study of that name."""

    def make(name: str, trials: int = 4, **sections: Any) -> StoredStudy:
        return studies.create(storage, define(study={"name": name, "trials": trials}, **sections), "mse")

    return make


def sequential(said: list[str]) -> Engines:
    return Engines("sequential", Machine(), said.append)


@pytest.fixture
def start(storage: BaseStorage) -> Callable[..., StudyWorker]:
    """Makes a worker of the storage; what it says goes to its attribute `said`."""

    def make(*names: str, **options: Any) -> StudyWorker:
        said: list[str] = []
        made = StudyWorker(storage, names, Interruption(), said.append, engines=sequential(said), **options)
        made.said = said  # type: ignore[attr-defined]
        return made

    return make


def rows(first: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Eight rows that no other call has."""
    inputs = torch.arange(first, first + 16, dtype=torch.float32).reshape(8, 2) / 100
    return inputs, inputs.sum(dim=1, keepdim=True)


Start = Callable[..., StudyWorker]


def run(made: StudyWorker) -> list[tuple[str, Event]]:
    return list(made.events(exit_when_idle=True))


def finished(stored: StoredStudy) -> int:
    counts = standing.count(stored)
    assert (counts.running, counts.waiting, counts.failed) == (0, 0, 0)
    return counts.finished


def test_studies_take_turns(create: Create, start: Start) -> None:
    stored = [create("one"), create("two"), create("three")]
    began = [name for name, event in run(start()) if isinstance(event, TrialBegan)]
    assert began == ["one", "two", "three"] * 4
    assert [finished(own) for own in stored] == [4, 4, 4]


@pytest.mark.parametrize("during", ["_prepared", "_serve"])
def test_a_signal_ends_it_between_two_studies(create: Create, start: Start, monkeypatch: Any, during: str) -> None:
    """A first look at a thousand studies takes minutes."""
    for name in ("one", "two", "three"):
        create(name)
    made, seen, whole = start(), [], getattr(StudyWorker, during)

    def interrupted(self: StudyWorker, *study: Any) -> object:
        seen.append(study)
        self._interruption.received = True
        return whole(self, *study) if during == "_prepared" else nothing_to_take()

    monkeypatch.setattr(StudyWorker, during, interrupted)
    with pytest.raises(InterruptedRunError):
        run(made)
    assert len(seen) == 1


def nothing_to_take() -> Iterator[Event]:
    """What the worker hears of a study without a trial to take."""
    return (yield from ())


@pytest.mark.parametrize("types", [["constant", "lambda"], ["lambda"]], ids=["with", "without constant rates"])
def test_it_confirms_what_it_has_searched(create: Create, start: Start, storage: BaseStorage, types: list[str]) -> None:
    """Also where the worker serves this study by name, and where the search had no constant rate."""
    create("mine", confirm={"top": 2, "seeds": 2, "contestants": ["default_rate"]}, search={"schedulers": types})
    create("other", confirm={"top": 2, "seeds": 2})
    names = dict.fromkeys(name for name, _ in run(start("mine")))
    assert list(names) == ["mine", "mine/confirm", "mine/contestants"]
    found = recommendation.best_settings(studies.load(storage, "mine"))
    assert (found.basis, found.seeds) == ("confirmed", 2)
    kept = studies.load(storage, "mine").reader.attributes()[RECOMMENDATION]
    assert kept["params"] == found.params
    evidence = recommendation.evidence_of(studies.load(storage, "mine"))
    assert evidence is not None
    assert evidence.contestants == {"default_rate": {"lr": 0.001, "scheduler": "constant"}}
    assert run(start("mine")) == [], "nothing is left to do"


def test_named_studies_are_the_only_ones(create: Create, start: Start) -> None:
    one, two = create("one"), create("two")
    run(start("two"))
    assert (finished(one), finished(two)) == (0, 4)


def test_a_study_that_comes_meanwhile_has_the_next_turn(
    create: Create, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_AGAIN", 0.0)
    monkeypatch.setattr(worker, "LONGEST_LOOK_AGAIN", 0.0)
    create("long", trials=6)
    names = []
    for name, event in start().events(exit_when_idle=True):
        if isinstance(event, TrialBegan):
            names.append(name)
            if len(names) == 2:
                create("new", trials=2)
    assert [(name, len(list(group))) for name, group in groupby(names)][:3] == [("long", 2), ("new", 1), ("long", 1)]


def test_a_stopped_study_hands_back_what_is_under_way_and_goes_on_later(
    create: Create, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "STOP_SECONDS", -1.0)
    monkeypatch.setattr(worker, "LOOK_AGAIN", 0.0)
    monkeypatch.setattr(worker, "LONGEST_LOOK_AGAIN", 0.0)
    stored, other = create("stopped"), create("other", trials=1)
    made, epochs = start(), 0
    for name, event in made.events(exit_when_idle=True):
        if name == "stopped" and isinstance(event, EpochDone):
            epochs += 1
            control.stop(stored, True)
    assert epochs == 1
    counts = standing.count(stored)
    assert (counts.running, counts.waiting, counts.retried, counts.finished) == (0, 1, 1, 0)
    assert finished(other) == 1
    control.stop(stored, False)
    run(made)
    assert finished(stored) == 4


def test_an_unknown_task_is_left_out_with_one_line(create: Create, start: Start, storage: BaseStorage) -> None:
    @lrsearch.task
    def foreign() -> lrsearch.Task:
        return lrsearch.Task(
            model=lambda: torch.nn.Linear(2, 1),
            train=rows(0),
            test=rows(100),
            loss=torch.nn.functional.mse_loss,
            metric="mse",
        )

    create("theirs", task={"name": "foreign"})
    known = create("ours")
    tasks._things.pop("foreign")
    made = start()
    run(made)
    assert finished(known) == 4
    [line] = made.said  # type: ignore[attr-defined]
    assert line.startswith("Study theirs is left out: ")
    assert '"foreign"' in line
    assert "--load" in line
    with pytest.raises(InputError, match="foreign"):
        start("theirs")


def test_a_name_that_is_not_there_is_refused(create: Create, start: Start) -> None:
    create("ours")
    with pytest.raises(InputError, match=r'--study = "ourz": no such study; did you mean ours\?'):
        start("ourz")


def test_a_study_of_another_tool_is_none_of_its_business(create: Create, start: Start, storage: BaseStorage) -> None:
    import optuna

    optuna.create_study(study_name="plain", storage=storage)
    made = start()
    assert run(made) == []
    assert made.said == []  # type: ignore[attr-defined]


def test_trials_that_fail_bring_down_neither_the_worker_nor_other_studies(
    create: Create, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.0)

    training: list[bool] = []

    @lrsearch.task
    def broken() -> lrsearch.Task:
        class Picky(torch.nn.Linear):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                if training:
                    raise RuntimeError("no such layer")
                return super().forward(x)

        return lrsearch.Task(
            model=lambda: Picky(2, 1), train=rows(0), test=rows(100), loss=torch.nn.functional.mse_loss, metric="mse"
        )

    try:
        bad, good = create("bad", task={"name": "broken"}), create("good")
        made = start()
        for name, event in made.events(exit_when_idle=True):
            if name == "bad" and isinstance(event, TrialBegan):
                training.append(True)  # it was tried out, and is fine, before anything is trained
    finally:
        tasks._things.pop("broken")
    assert finished(good) == 4
    assert standing.count(bad).failed == 4
    assert "Study bad is left alone" in made.said[0]  # type: ignore[attr-defined]
    assert "no such layer" in made.said[0]  # type: ignore[attr-defined]


def test_a_study_may_be_deleted_while_it_is_served(
    create: Create, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_AGAIN", 0.0)
    monkeypatch.setattr(worker, "LONGEST_LOOK_AGAIN", 0.0)
    gone, kept = create("gone", trials=8), create("kept", trials=2)
    for name, event in start().events(exit_when_idle=True):
        if name == "gone" and isinstance(event, TrialEnded) and gone is not None:
            control.delete(gone)
            gone = None  # type: ignore[assignment]
    assert finished(kept) == 2


def test_a_finished_study_that_grows_is_served_again(create: Create, start: Start) -> None:
    stored = create("growing", trials=2)
    made = start()
    run(made)
    grown = budget.set_budget(stored, 5)
    run(made)
    assert finished(grown) == 5


def test_a_finished_study_whose_failed_trials_are_run_again_is_served_again(
    create: Create, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a worker that has been there all the time, and thought that nothing was left to do."""
    monkeypatch.setattr(worker, "LOOK_AGAIN", 0.0)
    monkeypatch.setattr(worker, "LONGEST_LOOK_AGAIN", 0.0)
    failed, other = create("failed", trials=2), create("other", trials=4)
    store = trial_store(failed.study, failed.storage)
    claims = store.claim(2, 2, Worker.this().as_dict())
    store.finish([TrialEnd(claim.trial_id, TrialState.FAIL, None) for claim in claims])
    again: list[int] = []
    for name, event in start().events(exit_when_idle=True):
        if name == "other" and isinstance(event, TrialEnded) and event.number == 2:
            again = retrying.retry(failed)
    assert again == [0, 1]
    assert [finished(failed), finished(other)] == [2, 4]


def test_what_happened_is_counted(create: Create, start: Start) -> None:
    stored = create("counted", trials=6)
    made = start()
    monitor = Monitor(lambda: not made.is_hung(), lambda: made.waits)
    for _, event in made.events(exit_when_idle=True):
        monitor.take(event)
    status, kind, content = monitor.answer("/metrics")
    counted = dict(line.rsplit(" ", 1) for line in content.decode().splitlines() if not line.startswith("#"))
    ended = {state: float(counted[f'lrsearch_trials_total{{state="{state}"}}']) for state in ("complete", "pruned")}
    counts = standing.count(stored)
    assert (status, ended) == (200, {"complete": counts.complete, "pruned": counts.pruned})
    assert kind.startswith("text/plain")
    assert float(counted["lrsearch_epochs_total"]) == standing.epochs_trained(stored.trials())
    assert (counted["lrsearch_diverged_total"], counted["lrsearch_storage_waits_total"]) == ("0.0", "0.0")


def test_health_is_asked_for_each_time() -> None:
    well = [True]
    monitor = Monitor(lambda: well[0], lambda: 0)
    assert monitor.answer("/healthz")[0] == 200
    well[0] = False
    assert monitor.answer("/healthz")[0] == 503
    assert monitor.answer("/else")[0] == 404
