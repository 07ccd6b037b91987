"""A brake at each failure in a row, and one machine's fault that others do not pay for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import torch
from databases import close
from optuna.storages import BaseStorage
from sqlalchemy import select, update

import lrsearch
from lrsearch import registry
from lrsearch.search import worker
from lrsearch.search.engines import Engines, Machine
from lrsearch.search.events import TrialBegan
from lrsearch.search.process_failures import MachineAtFaultError
from lrsearch.search.runner import Runner
from lrsearch.search.worker import StudyWorker
from lrsearch.signals import Interruption
from lrsearch.storage.attributes import RETRY_OF, WORKER
from lrsearch.storage.counts import engine_of
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import MACHINES
from lrsearch.storage.tables import USER
from lrsearch.study import status
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import SequentialEngine

Define = Callable[..., Definition]
BROKEN: list[bool] = []
ENGINES = pytest.mark.parametrize("engine", ["sequential", "batched"])


class Flaky(torch.nn.Linear):
    """A network whose forward pass fails while its machine is broken."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if BROKEN:
            raise RuntimeError("CUDA error: out of memory (a test)")
        return super().forward(x)


@pytest.fixture(autouse=True)
def _task() -> Iterator[None]:
    @lrsearch.task
    def flaky() -> lrsearch.Task:
        rows = torch.linspace(-1, 1, 24).reshape(12, 2)
        data = rows, rows.sum(dim=1, keepdim=True)
        other = rows + 3, rows.sum(dim=1, keepdim=True)
        return lrsearch.Task(model=lambda: Flaky(2, 1), train=data, test=other, loss="mse", metric="mse")

    BROKEN.clear()
    yield
    BROKEN.clear()
    registry.tasks._things.pop("flaky")


@pytest.fixture
def storage(database_url: str) -> Iterator[BaseStorage]:
    opened = open_storage(database_url)
    yield opened
    close(opened)


def create(storage: BaseStorage, define: Define, trials: int) -> StoredStudy:
    definition = define(study={"name": "s", "trials": trials}, task={"name": "flaky"}, training={"epochs": 1})
    return studies.create(storage, definition, "mse")


def by_another_process(storage: BaseStorage) -> None:
    """What was trained so far was trained elsewhere."""
    engine = engine_of(storage)
    assert engine is not None
    with engine.begin() as connection:
        rows = connection.execute(select(USER.c.trial_id, USER.c.value_json).where(USER.c.key == WORKER)).all()
        for own, text in rows:
            moved = json.dumps({**json.loads(text), "boot": "another machine"})
            connection.execute(
                update(USER).where(USER.c.trial_id == own, USER.c.key == WORKER).values(value_json=moved)
            )


def serve(storage: BaseStorage, engine: str, said: list[str]) -> list[int]:
    """Numbers of the trials that a broken worker begins, until it ends."""
    began, made = (
        [],
        StudyWorker(storage, [], Interruption(), said.append, engines=Engines(engine, Machine(), said.append)),
    )
    made._look()
    BROKEN.append(True)
    for _, event in made.events(exit_when_idle=True):
        if isinstance(event, TrialBegan):
            began.append(event.number)
    return began


@ENGINES
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_lone_worker_brakes_at_each_failure_and_ends_after_ten(
    storage: BaseStorage, define: Define, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.001)
    stored, said = create(storage, define, 50), list[str]()
    with pytest.raises(MachineAtFaultError, match=r"10 trials failed .*out of memory.*This machine, .*torch"):
        serve(storage, engine, said)
    pauses = [line.split(" for ")[1].split(" s: ")[0] for line in said]
    assert pauses == ["0.001", "0.002", "0.004", "0.008", "0.016", "0.032", "0.064"]
    counts = status.count(stored)
    assert (counts.failed, counts.running) == (10, 0)
    assert counts.finished == 10, "the other settings wait for another machine"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_study_whose_settings_fail_everywhere_ends(
    storage: BaseStorage, define: Define, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.001)
    stored = create(storage, define, 4)
    with pytest.raises(MachineAtFaultError):
        serve(storage, "sequential", [])
    counts = status.count(stored)
    assert (counts.failed, counts.budget, counts.is_done) == (4, 4, True)


@ENGINES
def test_a_broken_machine_beside_a_good_one_spends_nothing_of_the_budget(
    storage: BaseStorage, define: Define, engine: str
) -> None:
    """It hands back what failed there, and ends; the good one trains all."""
    stored = create(storage, define, 12)
    task = registry.tasks.get("flaky").build({})
    events = Runner(stored, task, SequentialEngine(), Interruption()).events()
    while status.count(stored).finished < 2:
        next(events)
    events.close()  # type: ignore[attr-defined]
    by_another_process(storage)
    with pytest.raises(MachineAtFaultError, match="is handed back to them"):
        serve(storage, engine, [])
    counts = status.count(stored)
    assert (counts.failed, counts.running, counts.finished) == (0, 0, 2)
    assert counts.retried >= 3
    BROKEN.clear()
    list(Runner(stored, task, BatchedEngine(), Interruption()).events())
    counts = status.count(stored)
    assert (counts.complete + counts.pruned, counts.failed, counts.waiting) == (12, 0, 0)
    originals = [trial.user_attrs[RETRY_OF] for trial in stored.trials() if RETRY_OF in trial.user_attrs]
    assert len(originals) == len(set(originals)) == counts.retried


def test_settings_that_fail_on_many_machines_are_given_up(storage: BaseStorage, define: Define) -> None:
    """However often machines say that it was their own fault."""
    stored = create(storage, define, 3)
    task = registry.tasks.get("flaky").build({})
    list(Runner(stored, task, SequentialEngine(), Interruption()).events())
    stored.study.enqueue_trial({"lr": 0.01, "scheduler": "constant"})
    BROKEN.append(True)
    for _ in range(MACHINES + 1):
        list(Runner(stored, task, SequentialEngine(), Interruption()).events())
        runner = Runner(stored, task, SequentialEngine(), Interruption())
        last = len(stored.trials()) - 1
        again = runner.store.retry([last], "a test", at_fault=True)
    assert again == []
    assert (status.count(stored).failed, status.count(stored).retried) == (1, MACHINES)
