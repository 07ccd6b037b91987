"""Machines whose clocks are minutes apart share a study: nobody alive looks dead."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil
import pytest
import sqlalchemy
from databases import close
from optuna.storages import BaseStorage
from optuna.trial import TrialState
from sqlalchemy import select

from lrsearch.storage import liveness, tables
from lrsearch.storage.choice import trial_store
from lrsearch.storage.counts import engine_of
from lrsearch.storage.heartbeat import Heartbeat
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import GRACE, TrialEnd
from lrsearch.study import stored as studies
from lrsearch.study_file.load import parse

ELSEWHERE = """
import datetime, sys, time

SKEW = float(sys.argv[1])

class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=SKEW)

    @classmethod
    def utcnow(cls):
        return cls.now(datetime.UTC).replace(tzinfo=None)

datetime.datetime = Shifted
for name in ("time", "time_ns"):
    real, shift = getattr(time, name), int(SKEW * (1 if name == "time" else 1e9))
    setattr(time, name, lambda real=real, shift=shift: real() + shift)

from lrsearch.storage import liveness
liveness._boot = lambda: "another machine"

from lrsearch.study import open as opening
from lrsearch.search.events import TrialBegan
from lrsearch.signals import Interruption
from lrsearch.search.runner import Runner
from lrsearch.training.engine import SequentialEngine

stored = opening.find("skewed", sys.argv[2])
for event in Runner(stored, opening.task_of(stored), SequentialEngine(), Interruption()).events():
    if isinstance(event, TrialBegan) and not sys.stdin.closed:
        # It is trained until somebody has looked at it from the other machine.
        print("training", flush=True)
        sys.stdin.read()
        sys.stdin.close()
"""


@pytest.fixture
def server(database_url: str, opened: Callable[[str], BaseStorage]) -> BaseStorage:
    """A storage that machines can share."""
    return opened(database_url)


each_server = pytest.mark.parametrize("database_url", ["postgres", "mysql"], indirect=True)


@pytest.mark.parametrize(
    ("database_url", "skew"),
    [
        ("postgres", -600),
        ("mysql", 600),
        pytest.param("postgres", 600, marks=pytest.mark.soak),
        pytest.param("mysql", -600, marks=pytest.mark.soak),
    ],
    indirect=["database_url"],
)
def test_a_clock_ten_minutes_off_kills_nobody(server: BaseStorage, skew: int) -> None:
    """The worker elsewhere trains beside a live trial of this machine; each looks for lost ones among the other's."""
    study = {
        "study": {"name": "skewed", "trials": 3},
        "task": {"name": "polynomial", "rows": 40},
        "training": {"epochs": 2},
    }
    stored = studies.create(server, parse({**study, "search": {"schedulers": ["constant"]}}, "test"), "mse")
    store = trial_store(stored.study, server)
    (ours,) = store.claim(1, 3, Worker.this().as_dict())
    store.beat([ours.trial_id])
    engine = engine_of(server)
    assert engine is not None
    elsewhere = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", ELSEWHERE, str(skew), engine.url.render_as_string(hide_password=False)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert elsewhere.stdout is not None
    assert elsewhere.stdout.readline() == "training\n", elsewhere.communicate()[1]
    theirs = stored.trials()[1]
    assert theirs.user_attrs["worker"]["boot"] == "another machine"
    assert theirs.datetime_start is not None
    assert stored.trials()[0].datetime_start is not None
    apart = (theirs.datetime_start - stored.trials()[0].datetime_start).total_seconds()  # type: ignore[operator]
    assert abs(apart - skew) < 300, "its clock is not shifted"
    assert store.reap(GRACE) == []
    assert store.finish([TrialEnd(ours.trial_id, TrialState.COMPLETE, 1.0)]) == {ours.trial_id}
    errors = elsewhere.communicate(timeout=120)[1]
    assert elsewhere.returncode == 0, errors
    assert [trial.state.name for trial in stored.trials()] == ["COMPLETE"] * 3


@each_server
def test_a_claim_that_waited_long_for_the_lock_is_not_born_old(server: BaseStorage) -> None:
    """PostgreSQL's own current_timestamp is that of the transaction's beginning."""
    stored = studies.create(server, parse({"study": {"name": "s"}, "task": {"name": "polynomial"}}, "test"), "mse")
    engine = engine_of(server)
    assert engine is not None
    waiting = open_storage(engine.url.render_as_string(hide_password=False))
    waiter = threading.Thread(
        target=trial_store(studies.load(waiting, "s").study, waiting).claim, args=(1, 9, Worker.this().as_dict())
    )
    with engine.begin() as connection:
        tables.lock_study(connection, stored.study._study_id)
        waiter.start()
        observer = sqlalchemy.create_engine(engine.url)
        while not _somebody_waits(observer):
            pass
        observer.dispose()
        released = connection.execute(select(tables.DatabaseNow())).scalar_one()
    waiter.join(timeout=60)
    close(waiting)
    with engine.connect() as connection:
        (first,) = connection.execute(select(tables.HEARTBEATS.c.heartbeat)).scalars()
    assert first >= released


def _somebody_waits(observer: sqlalchemy.Engine) -> bool:
    """For the lock of a row."""
    text = {
        "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        "mysql": "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
    }
    kind = "postgresql" if observer.dialect.name == "postgresql" else "mysql"
    with observer.connect() as connection:
        return bool(connection.execute(sqlalchemy.text(text[kind])).scalar_one())


def test_a_clock_that_is_set_right_kills_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux the moment of the machine's start moves with its clock."""
    if not psutil.LINUX:
        pytest.skip("elsewhere the system keeps the moment at which a process was started")
    ours = Worker.this().as_dict()
    started, boot = psutil.Process.create_time, psutil.boot_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: started(process) + 600)
    monkeypatch.setattr(psutil, "boot_time", lambda: boot() + 600)
    assert not liveness.is_dead(ours)
    assert liveness.is_dead({**ours, "started": ours["started"] - 5})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("hours", [-5, 5])
def test_a_jump_of_sqlites_clock_kills_nobody_who_lives(
    database_url: str, opened: Callable[[str], BaseStorage], monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """There the clock is the process's: a heartbeat that looks hours old says nothing, one that does not move does."""
    storage = opened(database_url)
    stored = studies.create(storage, parse({"study": {"name": "s"}, "task": {"name": "polynomial"}}, "test"), "mse")
    store = trial_store(stored.study, storage)
    claims = store.claim(2, 9, Worker.this().as_dict())
    beating, silent = (claim.trial_id for claim in claims)
    moment = time.monotonic()
    monkeypatch.setattr(store._silences, "_clock", lambda: moment)  # type: ignore[attr-defined]
    engine = engine_of(storage)
    assert engine is not None

    def beats(trial_ids: list[int], minutes: int) -> None:
        with engine.begin() as connection:
            shown = f"datetime('now', '{hours} hours', '{minutes} minutes')"
            ids = ", ".join(map(str, trial_ids))
            connection.exec_driver_sql(f"UPDATE trial_heartbeats SET heartbeat = {shown} WHERE trial_id IN ({ids})")

    beats([beating, silent], 0)
    for minute in range(1, 5):
        assert store.reap(GRACE) == []
        moment += GRACE / 4
        beats([beating], minute)
    assert studies.load(storage, "s").reader.stale(GRACE) == []
    moment += 2.0
    assert store.reap(GRACE) == [claims[1].number]
    assert trial_store(stored.study, storage).reap(GRACE) == []


def test_machines_of_one_name_are_told_apart() -> None:
    """Two containers, or two copies of one image: process ids of one mean nothing in the other."""
    ours = Worker.this().as_dict()
    nobody = {**ours, "pid": 2**22 - 1}
    assert liveness.is_dead(nobody)
    assert not liveness.is_dead({**nobody, "boot": "another machine"})


@each_server
def test_one_connection_is_enough_for_worker_and_heartbeat(server: BaseStorage) -> None:
    """While the worker's transaction waits, a beat waits too, and neither for ever."""
    stored = studies.create(server, parse({"study": {"name": "s"}, "task": {"name": "polynomial"}}, "test"), "mse")
    engine = engine_of(server)
    assert engine is not None
    assert engine.pool.size() == 1  # type: ignore[attr-defined]
    store = trial_store(stored.study, server)
    with Heartbeat(store, grace=0.01) as heartbeat:
        for _ in range(30):
            (claim,) = store.claim(1, 100, Worker.this().as_dict())
            heartbeat.watch([claim.trial_id])
            store.record({claim.trial_id: {1: 0.5}})
            assert store.finish([TrialEnd(claim.trial_id, TrialState.COMPLETE, 0.5)])
            heartbeat.watch([])
            assert engine.pool.checkedout() <= 1  # type: ignore[attr-defined]
    assert engine.pool.overflow() <= 0  # type: ignore[attr-defined]
