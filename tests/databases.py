"""A database for a test, on whichever server; a server that is not there is a reason to skip."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import sqlalchemy
from optuna.storages import BaseStorage
from optuna.storages._rdb.models import BaseModel, VersionInfoModel
from optuna.trial import FrozenTrial
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from lrsearch.storage.counts import engine_of
from lrsearch.storage.rdb import open_storage, parse
from lrsearch.study import status
from lrsearch.study import stored as studies
from lrsearch.study.status import TrialCounts
from lrsearch.study.stored import StoredStudy

SERVERS = {
    "postgres": os.environ.get("LRSEARCH_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres"),
    "mysql": os.environ.get("LRSEARCH_TEST_MYSQL", "mysql://root@127.0.0.1:3306/mysql"),
}
DRIVERS = {"postgres": "postgresql+psycopg", "mysql": "mysql+pymysql"}
KINDS = ("sqlite", *SERVERS)
REQUIRED = "LRSEARCH_TESTS_REQUIRE"
"""Names, with commas between them, of what a test run must not skip for want of."""


def skip(what: str, reason: str) -> None:
    """Skip a test for want of something, or fail it where the run must not."""
    if what in os.environ.get(REQUIRED, "").split(","):
        pytest.fail(f"{what} is required here: {reason}")
    pytest.skip(f"needs {what}: {reason}")


@contextmanager
def fresh_database(kind: str, folder: Path) -> Iterator[str]:
    """URL of an empty database that is gone afterwards.

    Args:
        kind: One of `KINDS`.
        folder: Where an SQLite file may go.
    """
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{uuid.uuid4().hex}.db"
        return
    server = make_url(SERVERS[kind]).set(drivername=DRIVERS[kind])
    name = f"lrsearch_test_{uuid.uuid4().hex[:12]}"
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    except (SQLAlchemyError, ImportError) as error:
        skip(kind, str(error).splitlines()[0])
    try:
        yield make_url(SERVERS[kind]).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            forced = " WITH (FORCE)" if kind == "postgres" else ""
            connection.exec_driver_sql(f"DROP DATABASE {name}{forced}")
        engine.dispose()


class KeptDatabases:
    """One database of each kind with Optuna's tables, which the tests of a process take in turn.

    To make the tables takes a server half a second, to empty them nearly nothing. A test that changes the tables
    themselves, or kills who writes to them, wants a `fresh_database`.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Make nothing yet.

        Args:
            folder: Where SQLite's file goes.
            stack: Drops the databases in the end.
        """
        self._folder, self._stack = folder, stack
        self._urls: dict[str, str] = {}

    def take(self, kind: str, folder: Path) -> str:
        """URL of a database whose tables have no rows.

        Args:
            kind: One of `KINDS`.
            folder: Of the test: its own SQLite file is copied there.
        """
        if kind not in self._urls:
            self._urls[kind] = self._stack.enter_context(fresh_database(kind, self._folder))
            close(open_storage(self._urls[kind], create=True))
        if kind == "sqlite":
            own = folder / f"{uuid.uuid4().hex}.db"
            shutil.copy(make_url(self._urls[kind]).database or "", own)
            return f"sqlite:///{own}"
        _empty(self._urls[kind])
        return self._urls[kind]


def _empty(url: str) -> None:
    """Delete all rows but those that say which schema it is."""
    engine = sqlalchemy.create_engine(parse(url))
    with engine.begin() as connection:
        for table in reversed(BaseModel.metadata.sorted_tables):
            if table.name != VersionInfoModel.__tablename__:
                connection.execute(table.delete())
    engine.dispose()


@contextmanager
def opened(url: str, name: str) -> Iterator[StoredStudy]:
    """A stored study, with its connections closed afterwards."""
    storage = open_storage(url)
    try:
        yield studies.load(storage, name)
    finally:
        close(storage)


def close(storage: BaseStorage) -> None:
    """Close every connection of a storage."""
    storage.remove_session()
    engine = engine_of(storage)
    assert engine is not None
    engine.dispose()


def counts_of(url: str, name: str) -> TrialCounts:
    with opened(url, name) as study:
        return status.count(study)


def trials_of(url: str, name: str) -> list[FrozenTrial]:
    with opened(url, name) as study:
        return study.trials()
