"""Open a storage: one URL in, one Optuna storage out, and no password in any message."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from lrsearch.errors import InputError, input_error
from lrsearch.printable import HIDDEN, redacted, secrets
from lrsearch.storage import address, files, schema
from lrsearch.storage.reasons import OUTAGES, may_pass, never_was, reason
from lrsearch.storage.retry import Patience
from lrsearch.storage.schema import Schema

DEFAULT_URL = "sqlite:///lrsearch.db"
SQLITE_TIMEOUT = 60
"""Seconds a process waits for another one's transaction."""
CREATION_LIMIT = 30.0
"""Seconds for which a process tries to create the tables while others do the same."""

_RACES = ("already exists", "duplicate", "unique constraint", "is locked", "deadlock", "concurrent", "definition has")
"""Words of the errors that processes meet when they create the same tables at once, on each kind of database."""


class MissingStorageError(InputError):
    """There is no database at the URL yet."""


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


def absolute(url: str) -> str:
    """A storage URL that means the same in every folder of this machine.

    Args:
        url: What a person wrote.
    """
    file = sqlite_file(parsed := make_url(url))
    return url if file is None else parsed.set(database=str(file.resolve())).render_as_string(hide_password=False)


def parse(url: str) -> URL:
    """A storage URL with our driver for its kind of database.

    Args:
        url: What a person wrote.

    Raises:
        InputError: It is no URL of a database that we know.
    """
    unknown = "unknown kind of database; use sqlite, postgresql or mysql"
    try:
        parsed = make_url(url)
        _check_password(url)
        name = parsed.drivername
        if name.partition("+")[0] not in ("sqlite", *address.DRIVERS):
            raise input_error("--storage", unknown, received=redacted(url))
        if name in address.DRIVERS:
            parsed = parsed.set(drivername=address.DRIVERS[name][0])
        dialect = parsed.get_dialect()
    except NoSuchModuleError:
        raise input_error("--storage", unknown, received=redacted(url)) from None
    except ArgumentError:
        raise input_error("--storage", address.no_address(url)) from None
    except ValueError:  # what the standard library says of a port
        rule = "the port after the host must be a whole number, as in postgresql://user@host:5432/database"
        raise input_error("--storage", rule) from None
    except ImportError:
        raise cannot_open(parsed, address.wrong_driver(parsed, "is not installed")) from None
    if dialect.is_async:
        raise cannot_open(parsed, address.wrong_driver(parsed, "is one for asynchronous programs"))
    if dialect.name == "sqlite" and dialect.driver != "pysqlite":
        raise cannot_open(parsed, address.wrong_driver(parsed, "makes databases that nothing else here can read"))
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise input_error("--storage", "the port must be from 1 to 65535", received=str(parsed.port))
    return parsed


def _check_password(url: str) -> None:
    """Refuse a password from which drivers would take the host's name, and send it to the network as such."""
    place = url.partition("://")[2].partition("?")[0]
    if not place.startswith("/") and place.count("@") > 1 and ":" in place.partition("@")[0]:
        rule = "has more than one @; in a user name or password write %40 for @, %2F for / and %3A for :"
        raise input_error("--storage", rule, received=redacted(url))


def check_file(url: URL, *, create: bool = False) -> None:
    """Refuse an SQLite file that is not there, or that lies where several processes cannot share it.

    Args:
        url: From `parse`; of other databases nothing is checked.
        create: Whether the file may be missing.

    Raises:
        MissingStorageError: The file is not there and `create` is false.
        InputError: The file cannot be used.
    """
    path = sqlite_file(url)
    if path is None:
        return
    if not path.parent.is_dir():
        raise cannot_open(url, f"the folder {path.parent} does not exist")
    if path.is_dir():
        raise cannot_open(url, f"{path} is a folder")
    if not path.exists() and not create:
        raise MissingStorageError(f"storage {shown(url)}", input_error("", "there is no such database yet").faults)
    if fault := files.fault(path):
        raise cannot_open(url, fault)


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite database; None for one in memory and for a server."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(url.database)


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
        engine = sqlalchemy.create_engine(url, **_engine_settings(url, connections=1))
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
    with looked_at(url) as engine:
        check_schema(url, schema.read(engine))
    storage = _created(url)
    if url.get_backend_name() == "sqlite":
        files.keep_to(storage.engine, sqlite_file(url))
        sqlalchemy.event.listen(storage.engine, "begin", _begin_immediate)
        return storage
    storage.engine.dispose()
    return _narrow(url, connections)


def _can_be_read(engine: Engine) -> bool:
    try:
        sqlalchemy.inspect(engine).get_table_names()
    except DatabaseError:
        return False
    return True


def _narrow(url: URL, connections: int) -> RDBStorage:
    """Optuna's storage of tables that are there and were checked; to do that again it would need two connections."""
    return RDBStorage(
        url.render_as_string(hide_password=False), engine_kwargs=_engine_settings(url, connections),
        skip_table_creation=True, skip_compatibility_check=True,
    )  # fmt: skip


def _created(url: URL) -> RDBStorage:
    """Optuna's storage, with its tables, however many processes create them at the same moment."""
    began, pause = time.monotonic(), 0.02
    while True:
        try:
            settings = _engine_settings(url, connections=2)
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


def _engine_settings(url: URL, connections: int) -> dict[str, Any]:
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


def _begin_immediate(connection: sqlalchemy.Connection) -> None:
    """A transaction that reads before it writes must hold the lock from its start, or two get the same trial."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def cannot_open(url: URL, why: str) -> InputError:
    """What a person is told about a storage that cannot be used; without its password.

    Args:
        url: From `parse`.
        why: The reason.
    """
    for secret in secrets(url.render_as_string(hide_password=False)):
        why = why.replace(secret, HIDDEN)
    return input_error("--storage", f"cannot be opened: {why}", received=shown(url))


def shown(url: URL) -> str:
    """A storage URL as a person may see it.

    Args:
        url: From `parse`.
    """
    return redacted(url.render_as_string(hide_password=False))
