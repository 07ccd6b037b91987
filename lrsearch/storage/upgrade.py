"""Bring a database to the schema of the installed Optuna, with a copy first where it is a file."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from optuna.storages import RDBStorage
from sqlalchemy.engine import URL

from lrsearch.storage import rdb, schema


@dataclass(frozen=True)
class Upgrade:
    """What was done.

    Attributes:
        before: The schema that was found; None if there are no tables of Optuna yet.
        after: The newest schema; the same as `before` if there was nothing to do.
        copy: The database as it was; None for a server, and where there was nothing to do.
        is_server: Whether the database is a server's, of which no copy was made.
    """

    before: str | None
    after: str
    copy: Path | None
    is_server: bool

    @property
    def is_done(self) -> bool:
        """Whether anything had to be done."""
        return self.before is not None and self.before != self.after


def upgrade(url: str) -> Upgrade:
    """Run Optuna's migrations, if the database needs them. Nobody else should use it meanwhile.

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
        if not found.is_older:
            rdb.check_schema(parsed, found)
            return Upgrade(found.revision, found.newest, None, path is None)
        copy = None if path is None else _copied(path, str(found.revision))
        _migrate(parsed)
    return Upgrade(found.revision, found.newest, copy, path is None)


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
