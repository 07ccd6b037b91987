"""Whether anything may have been written since the last look: a question that costs next to nothing.

A look at a thousand studies takes a tenth of a second, and an idle service would do little else.
"""

from __future__ import annotations

import time
from contextlib import suppress

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from lrsearch.storage.url import sqlite_file

LONGEST = 30.0
"""Seconds after which it is said that something may have changed, whatever is seen: a file system may tell late."""
_SNAPSHOT = "SELECT CAST(txid_current_snapshot() AS TEXT)"
"""Of PostgreSQL: differs as soon as a transaction that has written anything begins or ends."""


class Changes:
    """Looks for changes of one database. Where they cannot be told from outside, there may always be some.

    Args:
        engine: Of the database; None where there is none.
    """

    def __init__(self, engine: Engine | None) -> None:
        self._engine = engine
        self._seen: object = None

    def since(self, looked_at: float) -> bool:
        """Whether something may have changed since the last look; if so, whoever asks looks now.

        Args:
            looked_at: When that was, by `time.monotonic`.
        """
        former, self._seen = self._seen, self._sign()
        return self._seen is None or self._seen != former or time.monotonic() - looked_at >= LONGEST

    def _sign(self) -> object:
        """Whatever differs after each change; None where nothing does."""
        if self._engine is None:
            return None
        if (file := sqlite_file(self._engine.url)) is not None:
            signs = []
            for place in (file, file.with_name(f"{file.name}-wal")):
                with suppress(OSError):
                    stat = place.stat()
                    signs.append((place.name, stat.st_ino, stat.st_size, stat.st_mtime_ns))
            return signs or None
        if self._engine.url.get_backend_name() == "postgresql":
            with suppress(SQLAlchemyError), self._engine.connect() as connection:  # who looks says that it is away
                return connection.exec_driver_sql(_SNAPSHOT).scalar()
        return None
