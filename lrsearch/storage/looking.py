"""Engines: how connections to each kind of database are made, and a look at one that changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from lrsearch.storage import files
from lrsearch.storage.url import sqlite_file

SQLITE_TIMEOUT = 60
"""Seconds a process waits for another one's transaction."""


@contextmanager
def looked_at(url: URL) -> Iterator[Engine | None]:
    """An engine for looking at a database before anything of ours or Optuna's may change it.

    Args:
        url: From `parse`.

    Yields:
        The engine; None if there is no database yet, or none that can be read so.
    """
    path = sqlite_file(url)
    if url.get_backend_name() == "sqlite" and (path is None or not path.exists()):
        yield None
        return
    if path is None:
        engine = sqlalchemy.create_engine(url, **engine_settings(url, connections=1))
    else:
        engine = sqlalchemy.create_engine("sqlite://", creator=lambda: files.untouched(path), poolclass=NullPool)
        if not _can_be_read(engine):
            # A file that is no database, or one that a crash left to be repaired: opening it says which.
            yield None
            return
    try:
        yield engine
    finally:
        engine.dispose()


def _can_be_read(engine: Engine) -> bool:
    try:
        sqlalchemy.inspect(engine).get_table_names()
    except DatabaseError:
        return False
    return True


def engine_settings(url: URL, connections: int) -> dict[str, Any]:
    server: dict[str, Any] = {"pool_pre_ping": True, "pool_size": connections, "max_overflow": 0}
    # Sessions must agree on the time zone, or a live trial's heartbeat looks hours old to another worker.
    if url.get_backend_name() == "postgresql":
        return {**server, "connect_args": {"options": "-c timezone=UTC", "connect_timeout": 10}}
    if url.get_backend_name() in ("mysql", "mariadb"):
        # At the default level a deletion locks the gap beside its rows, and processes that write in turn deadlock.
        server["isolation_level"] = "READ COMMITTED"
        return {**server, "connect_args": {"init_command": "SET time_zone = '+00:00'", "connect_timeout": 10}}
    return {"connect_args": {"timeout": SQLITE_TIMEOUT}, "pool_events": [(_prepare_sqlite, "connect")]}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Readers beside one writer (WAL); transactions begin where `_begin_immediate` says, not where pysqlite guesses."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
