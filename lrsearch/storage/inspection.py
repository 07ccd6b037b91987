"""What a storage is and how it does: kind, size, schema, settings, and the trials that nobody trains any more."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from optuna.storages import BaseStorage
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL

from lrsearch.storage import choice, files, rdb, schema
from lrsearch.storage.counts import engine_of
from lrsearch.storage.schema import Schema


@dataclass(frozen=True)
class Trials:
    """What goes on in a storage.

    Attributes:
        studies: How many there are.
        running: Trials in state RUNNING, stale ones included.
        stale: Study -> numbers of its running trials whose worker is gone.
    """

    studies: int
    running: int
    stale: dict[str, list[int]]


@dataclass(frozen=True)
class Inspection:
    """A storage that could be reached.

    Attributes:
        storage: Its URL, without password.
        kind: SQLite, PostgreSQL, MariaDB or MySQL.
        version: Of the server, or of SQLite's library.
        size: In bytes; None if the database does not say.
        schema: Its schema beside Optuna's.
        settings: What matters to several processes, by name.
        trials: What goes on; None unless the schema is the newest.
        bulk_fault: Why trials cannot be written in bulk; None if they can.
    """

    storage: str
    kind: str
    version: str
    size: int | None
    schema: Schema
    settings: dict[str, str] = field(default_factory=dict)
    trials: Trials | None = None
    bulk_fault: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """All of it, with the keys of the JSON form."""
        trials = self.trials
        return {
            "storage": self.storage,
            "reachable": True,
            "kind": self.kind,
            "version": self.version,
            "size_bytes": self.size,
            "schema": {"revision": self.schema.revision, "newest": self.schema.newest, "state": self.schema.state},
            "settings": self.settings,
            "studies": trials.studies if trials else None,
            "running": trials.running if trials else None,
            "stale": trials.stale if trials else None,
            "bulk_writing": self.bulk_fault is None,
            "bulk_writing_fault": self.bulk_fault,
        }


def inspect(url: str, grace: float) -> Inspection:
    """Look at a storage. One whose schema is not the newest is only read.

    Args:
        url: Of the storage.
        grace: Seconds without a heartbeat after which a process on another machine is taken to be gone.

    Raises:
        InputError: It cannot be reached or used.
    """
    parsed = rdb.parse(url)
    rdb.check_file(parsed)
    with rdb.explained(parsed):
        with rdb.looked_at(parsed) as engine:
            found = schema.read(engine)
            if engine is not None and not found.is_newest:
                return _described(parsed, engine, found, None)
        storage = rdb.open_storage(url)
        engine = engine_of(storage)
        assert engine is not None
        try:
            return _described(parsed, engine, schema.read(engine), _trials(storage, grace))
        finally:
            storage.remove_session()
            engine.dispose()


def _described(url: URL, engine: Engine, found: Schema, trials: Trials | None) -> Inspection:
    with engine.connect() as connection:
        kind, version = _server(connection)
        return Inspection(
            storage=rdb.shown(url),
            kind=kind,
            version=version,
            size=_size(url, connection),
            schema=found,
            # Those that our own connections have; what was only looked at has other ones.
            settings=_settings(url, connection) if trials else {},
            trials=trials,
            bulk_fault=choice.fault(),
        )


def _server(connection: Connection) -> tuple[str, str]:
    dialect = connection.dialect
    if dialect.name == "sqlite":
        return "SQLite", sqlite3.sqlite_version
    if dialect.name == "postgresql":
        return "PostgreSQL", _answer(connection, "SHOW server_version")
    return "MariaDB" if getattr(dialect, "is_mariadb", False) else "MySQL", _answer(connection, "SELECT version()")


def _size(url: URL, connection: Connection) -> int | None:
    path = rdb.sqlite_file(url)
    if path is not None:
        # What the write-ahead log holds is not in the file yet.
        parts = [path, path.with_name(path.name + "-wal")]
        return sum(part.stat().st_size for part in parts if part.exists())
    if connection.dialect.name == "postgresql":
        return int(_answer(connection, "SELECT pg_database_size(current_database())"))
    if connection.dialect.name == "sqlite":
        return None
    # MariaDB's cache of these numbers may be a day old; that does for a size.
    total = "SELECT coalesce(sum(data_length + index_length), 0) FROM information_schema.tables"
    return int(float(_answer(connection, f"{total} WHERE table_schema = database()")))


def _settings(url: URL, connection: Connection) -> dict[str, str]:
    path = rdb.sqlite_file(url)
    if path is not None:
        lies = files.file_system(path)
        level = int(_answer(connection, "PRAGMA synchronous"))
        return {
            "journal mode": _answer(connection, "PRAGMA journal_mode"),
            "synchronous": ("off", "normal", "full", "extra")[level],
            "file system": f"{lies.kind} at {lies.mounted}" if lies else "unknown",
        }
    if connection.dialect.name == "postgresql":
        return {"time zone": _answer(connection, "SHOW timezone")}
    if connection.dialect.name == "sqlite":
        return {}
    return {"time zone": _answer(connection, "SELECT @@session.time_zone")}


def _answer(connection: Connection, statement: str) -> str:
    return str(connection.exec_driver_sql(statement).scalar_one())


def _trials(storage: BaseStorage, grace: float) -> Trials:
    running, stale = 0, {}
    there = choice.impatient_storage_reader(storage)
    listed = there.listed()
    for own in listed:
        try:
            reader = choice.impatient_study_reader(there.study(own.name), storage)
        except KeyError:
            continue  # deleted in between
        running += len(reader.running())
        if lost := reader.stale(grace):
            stale[own.name] = lost
    return Trials(len(listed), running, stale)
