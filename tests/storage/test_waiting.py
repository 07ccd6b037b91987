"""Whoever reads, writes or watches waits for a server that has gone away; what it says is named."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from databases import close, counts_of
from outages import Door, door_to
from shared_study import wait_until
from sqlalchemy.engine import make_url

from lrsearch.cli.status import Screen
from lrsearch.dashboard.artifacts import artifacts_of
from lrsearch.dashboard.publisher import Publisher
from lrsearch.errors import InputError, InterruptedRunError
from lrsearch.signals import Interruption
from lrsearch.storage import retry
from lrsearch.storage.rdb import open_storage, parse
from lrsearch.storage.retry import Patience, StorageFailedError
from lrsearch.study import budget, control, linked_study, status
from lrsearch.study import retry as retrying
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy

Define = Callable[..., Any]
# What could not be opened, or was ended from outside, leaves its connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
WATCHING: dict[str, Callable[[StoredStudy], object]] = {
    "count": status.count,
    "best value": status.best_value,
    "load": lambda stored: studies.load(stored.storage, stored.name).maximises,
    "names": lambda stored: studies.names(stored.storage),
    "trials": lambda stored: stored.trials(),
    "stop": lambda stored: control.stop(stored, True),
    "go on": lambda stored: control.stop(stored, False),
    "reap": lambda stored: control.reap(stored, 1.0),
    "run again": lambda stored: retrying.retry(stored, ()) if stored.reader.tally().failed else None,
    "more trials": lambda stored: budget.set_budget(stored, 6),
    "confirm": lambda stored: linked_study.enqueue(stored, [{"lr": 0.02, "scheduler": "constant", "seed": 3}]),
    "exclude": lambda stored: control.exclude(stored, 0, "because"),
    "delete": control.delete,
}


@pytest.fixture
def door(database_url: str) -> Iterator[Door]:
    """The database behind a door."""
    with door_to(parse(database_url).render_as_string(hide_password=False)) as made:
        yield made
    gc.collect()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process nobody waits longer than the test does."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(retry, "LONGEST_PAUSE", 0.05)


@pytest.mark.parametrize("database_url", ["postgres", "mysql"], indirect=True)
@pytest.mark.usefixtures("quick")
def test_nobody_gives_up_before_the_server_is_back(door: Door, define: Define) -> None:
    """Whatever is asked, through connections that have ended and a door that is shut."""
    storage = open_storage(door.url, create=True)
    stored = studies.create(storage, define(study={"name": "there", "trials": 4}), "mse")
    stored.study.tell(stored.study.ask(), 1.0)
    for name, ask in WATCHING.items():
        refused = door.refused
        door.shut(3)
        try:
            ask(stored)
        except Exception as error:
            raise AssertionError(f"{name}: {error}") from error
        assert door.refused == refused + 3, name
    assert studies.names(storage) == []
    close(storage)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.usefixtures("quick")
def test_the_publisher_and_the_screen_outlast_an_outage(
    door: Door, define: Define, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publisher waits; the screen of `serve` says it and looks again."""
    storage = open_storage(door.url, create=True)
    studies.create(storage, define(study={"name": "there", "trials": 4}), "mse")
    monkeypatch.setattr("lrsearch.dashboard.publisher.publish", lambda stored, *_: bool(stored.trials()))
    said: list[str] = []
    publisher = Publisher(storage, artifacts_of("sqlite:///x.db", str(tmp_path)), Interruption(), said.append)
    screen = Screen(door.url)
    door.shut(6)
    assert "cannot be read now" in rendered(screen)
    publisher.look()
    assert (said[0].split(" (")[0], door.refused) == ("The storage is out of reach", 6)
    assert "there" in rendered(screen)
    close(storage)
    close(screen._storage)


def rendered(screen: Screen) -> str:
    with screen._console.capture() as captured:
        screen._console.print(screen._studies())
    return captured.get()


FILE = """
[study]
name = "out"
trials = 8
[task]
name = "polynomial"
rows = 400
[training]
epochs = 6
[search]
schedulers = ["constant"]
[sampler]
name = "random"
[confirm]
top = 0
"""


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_run_with_workers_outlasts_an_outage(door: Door, tmp_path: Path) -> None:
    """The process that supervises, and those that it starts while the door is shut."""
    file = tmp_path / "out.toml"
    file.write_text(FILE)
    command = [sys.executable, "-m", "lrsearch", "study", "run", str(file), "--workers", "2", "--engine", "sequential"]
    parent = subprocess.Popen([*command, "--storage", door.url], stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: door.passed > 2, parent)  # it has opened the storage
        door.shuts_after(messages=60, attempts=2, times=6)
        _, errors = parent.communicate(timeout=120)
    finally:
        parent.terminate()
    assert parent.returncode == 0, errors
    assert "Traceback" not in errors
    assert "error ignored" not in errors  # psycopg's own word of a connection that has ended
    assert door.refused > 6
    counts = counts_of(door.url, "out")
    assert (counts.finished, counts.running, counts.waiting, counts.failed) == (8, 0, 0, 0)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.usefixtures("quick")
def test_a_worker_waits_for_a_server_that_is_not_up_yet(
    door: Door, here: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """And for none whose name nobody knows."""
    door.shut(3)
    done = here("worker", "--exit-when-idle", "--storage", door.url)
    assert (done.returncode, "waiting up to 300 s" in done.stderr) == (0, True), done.stderr
    with pytest.raises(InputError, match="does not exist"):
        open_storage(make_url(door.url).set(database="nowhere").render_as_string(), patience=Patience(print))
    gc.collect()
    door.shut(10**6)
    with pytest.raises(StorageFailedError, match=r"out of reach since 0\.2 s"):
        open_storage(door.url, patience=Patience(lambda _: None, limit=0.2))


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_signal_ends_a_wait(door: Door, define: Define) -> None:
    """At once, and not when the server is back or given up."""
    storage = open_storage(door.url, create=True)
    stored = studies.create(storage, define(), "mse")
    door.shut(10**6)

    def interrupt(_: str) -> None:
        signal.raise_signal(signal.SIGTERM)

    with Interruption().caught(), pytest.raises(InterruptedRunError):
        Patience(interrupt)(stored.study._storage._backend.get_all_studies)  # type: ignore[attr-defined]
    door.shut(0)
    close(storage)


LOGIN: dict[str, tuple[list[str], list[str]]] = {
    "postgresql": (["CREATE ROLE {} NOLOGIN"], ["DROP ROLE {}"]),
    "mysql": (["CREATE USER {}@'127.0.0.1' IDENTIFIED BY 'other'"], ["DROP USER {}@'127.0.0.1'"]),
}
LIMIT: dict[str, tuple[list[str], list[str]]] = {
    "postgresql": (["CREATE ROLE {} LOGIN CONNECTION LIMIT 0"], ["DROP ROLE {}"]),
    "mysql": (
        ["CREATE USER {0}@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1", "GRANT ALL ON *.* TO {0}@'127.0.0.1'"],
        ["DROP USER {}@'127.0.0.1'"],
    ),
}


@pytest.mark.parametrize("database_url", ["postgres", "mysql"], indirect=True)
@pytest.mark.parametrize(
    ("statements", "said"), [(LOGIN, "the server refuses the login"), (LIMIT, "no connection left for this user")]
)
def test_what_the_server_refuses_is_named(
    database_url: str, statements: dict[str, tuple[list[str], list[str]]], said: str
) -> None:
    """A login, or one more connection."""
    url, name = parse(database_url), f"r{uuid.uuid4().hex[:8]}"
    make, drop = statements[url.get_backend_name()]
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    own = sqlalchemy.create_engine(url.set(username=name, password=None))
    with engine.connect() as connection:
        for statement in make:
            connection.exec_driver_sql(statement.format(name))
        try:
            held = own.connect() if "mysql" in url.drivername and statements is LIMIT else None
            with pytest.raises(InputError, match=said):
                open_storage(own.url.render_as_string(hide_password=False))
            if held is not None:
                held.close()
        finally:
            own.dispose()
            for statement in drop:
                connection.exec_driver_sql(statement.format(name))
    engine.dispose()


@pytest.mark.parametrize("database_url", ["postgres", "mysql"], indirect=True)
def test_a_time_limit_of_the_server_is_named(database_url: str) -> None:
    """And not taken for data that are too long."""
    engine = sqlalchemy.create_engine(parse(database_url))
    slow = (
        ["SET statement_timeout = 20", "SELECT pg_sleep(5)"]
        if engine.dialect.name == "postgresql"
        else ["SET STATEMENT max_statement_time = 0.02 FOR SELECT sleep(5) FROM information_schema.tables"]
    )

    def ask() -> None:
        with engine.connect() as connection:
            for statement in slow:
                connection.exec_driver_sql(statement)

    said: list[str] = []
    with pytest.raises(StorageFailedError, match="took longer than its time limit allows"):
        Patience(said.append, limit=0.0)(ask)
    engine.dispose()
