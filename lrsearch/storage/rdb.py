"""Open a storage: one URL in, one Optuna storage out, and no password in any message."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from lrsearch.storage import address, files, opened, schema
from lrsearch.storage.defaults import DEFAULT_URL
from lrsearch.storage.looking import engine_settings, looked_at
from lrsearch.storage.reasons import OUTAGES, may_pass, never_was, reason
from lrsearch.storage.retry import Patience
from lrsearch.storage.schema import Schema
from lrsearch.storage.url import MissingStorageError, absolute, cannot_open, check_file, parse, shown, sqlite_file

__all__ = [
    "DEFAULT_URL",
    "MissingStorageError",
    "absolute",
    "cannot_open",
    "check_file",
    "check_schema",
    "explained",
    "looked_at",
    "open_storage",
    "parse",
    "shown",
    "sqlite_file",
]

CREATION_LIMIT = 30.0
"""Seconds for which a process tries to create the tables while others do the same."""

_RACES = ("already exists", "duplicate", "unique constraint", "is locked", "deadlock", "concurrent", "definition has")
"""Words of the errors that processes meet when they create the same tables at once, on each kind of database."""


def open_storage(
    url: str, *, create: bool = False, connections: int = 1, patience: Patience | None = None
) -> BaseStorage:
    """The storage at a URL, with a cache in front of it.

    Args:
        url: SQLAlchemy URL, such as ``sqlite:///lrsearch.db`` or ``postgresql://user@host/database``.
        create: Whether an SQLite file may be created.
        connections: To a server at most: threads beyond that wait for each other. One is enough for a worker, whose
            heartbeat needs it for a moment now and then.
        patience: Waits for a server that does not answer yet; by default nobody does.

    Raises:
        StorageFailedError: The server did not answer in time.
        MissingStorageError: The SQLite file is not there and `create` is false.
        InputError: The URL is not one, its driver is not installed, the database cannot be opened, its schema is not
            the newest, or its file lies where several processes cannot share it. Then nothing was written.
    """
    parsed = parse(url)
    check_file(parsed, create=create)
    with explained(parsed):
        if patience is None:
            return optuna.storages.get_storage(_opened(parsed, connections))
        return optuna.storages.get_storage(patience(lambda: _found(parsed, connections), "cannot be opened"))


def check_schema(url: URL, found: Schema) -> None:
    """Refuse a database whose tables the installed Optuna cannot use as they are.

    Args:
        url: From `parse`.
        found: Its schema.

    Raises:
        InputError: The schema is older or newer than Optuna's.
    """
    if found.is_newer:
        raise cannot_open(
            url,
            f"a newer Optuna wrote it (schema {found.revision}, and {optuna.__version__} knows up to {found.newest}); "
            "nothing was changed. Update with: pip install --upgrade optuna",
        )
    if found.is_older:
        raise cannot_open(
            url,
            f"an older Optuna wrote it (schema {found.revision}, and {optuna.__version__} needs {found.newest}); "
            "nothing was changed. Convert it with: lrsearch storage upgrade",
        )


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn what a driver, SQLAlchemy or Optuna raises while a database is opened into an `InputError`.

    Args:
        url: From `parse`; its password is in no message.
    """
    try:
        yield
    except ImportError:
        raise cannot_open(url, address.wrong_driver(url, "is not installed")) from None
    except (TypeError, ValueError, AttributeError) as error:
        # Python's, of a driver that is handed what stands behind the question mark.
        raise cannot_open(url, f"its driver does not take what stands behind the ?: {error}") from None
    except (SQLAlchemyError, RuntimeError, OSError, optuna.exceptions.OptunaError) as error:
        raise cannot_open(url, reason(error)) from None


def _found(url: URL, connections: int) -> RDBStorage:
    """As `_opened`; nobody waits for a server or a database that is not there under this name."""
    try:
        return _opened(url, connections)
    except OUTAGES as error:
        if never_was(error) or not may_pass(error):
            raise cannot_open(url, reason(error)) from None
        raise


def _opened(url: URL, connections: int) -> RDBStorage:
    return opened.note(_connected(url, connections))


def _connected(url: URL, connections: int) -> RDBStorage:
    with looked_at(url) as engine:
        check_schema(url, schema.read(engine))
    storage = _created(url)
    if url.get_backend_name() == "sqlite":
        files.keep_to(storage.engine, sqlite_file(url))
        sqlalchemy.event.listen(storage.engine, "begin", _begin_immediate)
        return storage
    opened.close(storage)
    return _narrow(url, connections)


def _narrow(url: URL, connections: int) -> RDBStorage:
    """Optuna's storage of tables that are there and were checked; to do that again it would need two connections."""
    return RDBStorage(
        url.render_as_string(hide_password=False), engine_kwargs=engine_settings(url, connections),
        skip_table_creation=True, skip_compatibility_check=True,
    )  # fmt: skip


def _created(url: URL) -> RDBStorage:
    """Optuna's storage, with its tables, however many processes create them at the same moment."""
    began, pause = time.monotonic(), 0.02
    while True:
        try:
            settings = engine_settings(url, connections=2)
            return RDBStorage(url.render_as_string(hide_password=False), engine_kwargs=settings)
        except (SQLAlchemyError, optuna.exceptions.OptunaError, AssertionError) as error:
            if not _is_race(error) or time.monotonic() - began > CREATION_LIMIT:
                raise
        # Not in step with the others, or the same ones meet again.
        time.sleep(random.uniform(0.5, 1.5) * pause)
        pause = min(2 * pause, 1.0)


def _is_race(error: Exception) -> bool:
    """Whether another process was just creating what we wanted to create."""
    # Optuna asserts that what it has just written is there.
    said = f"{error} {error.__cause__}".casefold()
    return isinstance(error, AssertionError) or any(words in said for words in _RACES)


def _begin_immediate(connection: sqlalchemy.Connection) -> None:
    """A transaction that reads before it writes must hold the lock from its start, or two get the same trial."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
