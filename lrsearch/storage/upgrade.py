"""Bring a database to the schema of the installed Optuna, and make room for long curves; a file is copied first."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from optuna.storages import RDBStorage
from sqlalchemy.engine import URL

from lrsearch.storage import capacity, rdb, schema


@dataclass(frozen=True)
class Upgrade:
    """What was done.

    Attributes:
        before: The schema that was found; None if there are no tables of Optuna yet.
        after: The newest schema; the same as `before` if there was nothing to do.
        copy: The database as it was; None for a server, and where there was nothing to do.
        is_server: Whether the database is a server's, of which no copy was made.
        is_widened: Whether room was made for long curves, see `capacity`.
    """

    before: str | None
    after: str
    copy: Path | None
    is_server: bool
    is_widened: bool = False

    @property
    def is_migrated(self) -> bool:
        """Whether the schema had to be changed."""
        return self.before is not None and self.before != self.after

    @property
    def is_done(self) -> bool:
        """Whether anything had to be done."""
        return self.is_migrated or self.is_widened


def upgrade(url: str) -> Upgrade:
    """Run Optuna's migrations and widen its columns, if the database needs it. Nobody else should use it meanwhile.

    Args:
        url: Of the storage.

    Raises:
        InputError: It cannot be reached or used, or a newer Optuna wrote it.
    """
    parsed = rdb.parse(url)
    rdb.check_file(parsed)
    path = rdb.sqlite_file(parsed)
    with rdb.explained(parsed):
        with rdb.looked_at(parsed) as engine:
            found = schema.read(engine)
        copy = None
        if found.is_older:
            copy = None if path is None else _copied(path, str(found.revision))
            _migrate(parsed)
        else:
            rdb.check_schema(parsed, found)
        with rdb.looked_at(parsed) as engine:
            is_widened = engine is not None and found.revision is not None and capacity.widen(engine)
    return Upgrade(found.revision, found.newest, copy, path is None, is_widened)


def _migrate(url: URL) -> None:
    storage = RDBStorage(url.render_as_string(hide_password=False), skip_compatibility_check=True)
    root, quiet = logging.getLogger(), logging.NullHandler()
    # Optuna's migrations set up logging of their own, over ours, unless somebody has set it up before.
    root.addHandler(quiet)
    try:
        storage.upgrade()
    finally:
        root.removeHandler(quiet)
        storage.remove_session()
        storage.engine.dispose()


def _copied(path: Path, revision: str) -> Path:
    """A copy beside the file, also of what is still in its write-ahead log; no older copy is overwritten."""
    target = _free_name(path, revision)
    with ExitStack() as unfinished:
        # Half a copy would be taken for one.
        unfinished.callback(target.unlink)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
        unfinished.pop_all()
    return target


def _free_name(path: Path, revision: str) -> Path:
    for attempt in count(1):
        ending = f".{revision}.copy" if attempt == 1 else f".{revision}.copy{attempt}"
        target = path.with_name(path.name + ending)
        try:
            target.touch(exist_ok=False)
        except FileExistsError:
            continue
        return target
    raise AssertionError
