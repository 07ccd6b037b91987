"""Which of Optuna's schemas a database has."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy
from sqlalchemy import Engine

from lrsearch.storage import tables


@dataclass(frozen=True)
class Schema:
    """A database's schema beside those that the installed Optuna knows.

    Attributes:
        revision: What the database says; None if it has no tables of Optuna yet.
        known: The revisions that the installed Optuna knows, newest first.
    """

    revision: str | None
    known: tuple[str, ...]

    @property
    def newest(self) -> str:
        return self.known[0]

    @property
    def is_newest(self) -> bool:
        return self.revision == self.newest

    @property
    def is_older(self) -> bool:
        return self.revision in self.known[1:]

    @property
    def is_newer(self) -> bool:
        """Whether an Optuna wrote it that is newer than ours."""
        return self.revision is not None and self.revision not in self.known

    @property
    def state(self) -> str:
        """One word for a person: newest, older, newer or none."""
        if self.revision is None:
            return "none"
        return "newest" if self.is_newest else "older" if self.is_older else "newer"


def read(engine: Engine | None) -> Schema:
    """The schema of a database; nothing is written.

    Args:
        engine: Of the database; None for one that does not exist yet.
    """
    known = tables.known_revisions()
    if engine is None or not sqlalchemy.inspect(engine).has_table(tables.REVISION.name):
        return Schema(None, known)
    with engine.connect() as connection:
        return Schema(tables.revision(connection), known)
