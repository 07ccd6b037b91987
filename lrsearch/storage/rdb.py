"""Open a storage: one URL in, one Optuna storage out, and no password in any message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from lrsearch.errors import InputError, input_error
from lrsearch.storage import tables  # noqa: F401  (before the tables are created: it says how)

DEFAULT_URL = "sqlite:///lrsearch.db"
SQLITE_TIMEOUT = 60
"""Seconds a process waits for another one's transaction."""

_DRIVERS = {
    "postgres": ("postgresql+psycopg", "postgres"),
    "postgresql": ("postgresql+psycopg", "postgres"),
    "mysql": ("mysql+pymysql", "mysql"),
    "mariadb": ("mariadb+pymysql", "mysql"),
}


class MissingStorageError(InputError):
    """There is no database at the URL yet."""


def open_storage(url: str, *, create: bool = False) -> BaseStorage:
    """The storage at a URL, with a cache in front of it.

    Args:
        url: SQLAlchemy URL, such as ``sqlite:///lrsearch.db`` or ``postgresql://user@host/database``.
        create: Whether an SQLite file may be created.

    Raises:
        MissingStorageError: The SQLite file is not there and `create` is false.
        InputError: The URL is not one, its driver is not installed, or the database cannot be opened.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        _check_sqlite_file(parsed, create)
    try:
        storage = RDBStorage(
            parsed.render_as_string(hide_password=False),
            engine_kwargs=_engine_settings(parsed),
        )
    except ImportError:
        _, extra = _DRIVERS.get(parsed.get_backend_name(), ("", ""))
        advice = f'; install it with: pip install "lrsearch[{extra}]"' if extra else ""
        raise _cannot_open(parsed, f"the driver {parsed.drivername} is not installed{advice}") from None
    except (SQLAlchemyError, RuntimeError, OSError, optuna.exceptions.OptunaError) as error:
        raise _cannot_open(parsed, _reason(error)) from None
    if parsed.get_backend_name() == "sqlite":
        sqlalchemy.event.listen(storage.engine, "begin", _begin_immediate)
    return optuna.storages.get_storage(storage)


def redacted(url: str) -> str:
    """A storage URL that may be shown: its password is replaced by asterisks.

    Args:
        url: Any text that was given as a URL.
    """
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the storage URL"


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        name = parsed.drivername
        if name in _DRIVERS:
            parsed = parsed.set(drivername=_DRIVERS[name][0])
        parsed.get_dialect()
    except NoSuchModuleError:
        rule = "unknown kind of database; use sqlite, postgresql or mysql"
        raise input_error("--storage", rule, received=redacted(url)) from None
    except ArgumentError:
        rule = f"is not a database URL, such as {DEFAULT_URL} or postgresql://user@host/database"
        raise input_error("--storage", rule) from None
    except ImportError:
        return parsed
    return parsed


def _check_sqlite_file(url: URL, create: bool) -> None:
    if not url.database or url.database == ":memory:":
        return
    path = Path(url.database)
    if not path.parent.is_dir():
        raise _cannot_open(url, f"the folder {path.parent} does not exist")
    if path.is_dir():
        raise _cannot_open(url, f"{path} is a folder")
    if not path.exists() and not create:
        raise MissingStorageError(
            f"storage {url.render_as_string()}", input_error("", "there is no such database yet").faults
        )


def _engine_settings(url: URL) -> dict[str, Any]:
    server: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 2, "max_overflow": 2}
    # Sessions must agree on the time zone, or a live trial's heartbeat looks hours old to another worker.
    if url.get_backend_name() == "postgresql":
        return {**server, "connect_args": {"options": "-c timezone=UTC", "connect_timeout": 10}}
    if url.get_backend_name() in ("mysql", "mariadb"):
        return {**server, "connect_args": {"init_command": "SET time_zone = '+00:00'", "connect_timeout": 10}}
    return {"connect_args": {"timeout": SQLITE_TIMEOUT}, "pool_events": [(_prepare_sqlite, "connect")]}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Readers beside one writer (WAL); transactions begin where `_begin_immediate` says, not where pysqlite guesses."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin_immediate(connection: sqlalchemy.Connection) -> None:
    """A transaction that reads before it writes must hold the lock from its start, or two get the same trial."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _cannot_open(url: URL, reason: str) -> InputError:
    shown = url.render_as_string(hide_password=True)
    if url.password:
        reason = reason.replace(str(url.password), "***")
    return input_error("--storage", f"cannot be opened: {reason}", received=shown)


def _reason(error: Exception) -> str:
    """The driver's own first line; SQLAlchemy wraps it in statements and links."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, Exception) and len(cause.args) > 1 and isinstance(cause.args[-1], str):
        return cause.args[-1].splitlines()[0]
    return (str(cause).splitlines() or [type(cause).__name__])[0]
