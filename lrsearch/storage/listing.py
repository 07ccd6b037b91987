"""Which studies a storage has, without the notes and plots that hang on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, select

from lrsearch.errors import DeletedStudyError
from lrsearch.storage import stored_values, tables
from lrsearch.storage.attributes import DEFINITION, ORIGIN, RETRIES_ASKED_FOR, STOPPED
from lrsearch.storage.store import times

MOST = 4096
"""Definitions of which it is remembered how they read."""


@dataclass(frozen=True)
class Listed:
    """What tells at a glance whether a study has to do with us, and whether it has changed.

    Attributes:
        study_id: Optuna's id.
        name: Its name.
        definition: Its definition as JSON; None for a study of another tool.
        stopped: Whether nobody shall take trials from it.
        origin: Name of the study that it belongs to; None if it stands for itself.
        retries: How often failed trials were run again.
    """

    study_id: int
    name: str
    definition: str | None
    stopped: bool
    origin: str | None
    retries: int = 0

    @classmethod
    def of(cls, study_id: int, name: str, stored: Mapping[str, Any]) -> Listed:
        """A study with what it stores.

        Args:
            study_id: Optuna's id.
            name: Its name.
            stored: Its user attributes.
        """
        definition, link = stored.get(DEFINITION), stored.get(ORIGIN)
        text = None if definition is None else json.dumps(definition, sort_keys=True)
        origin = link.get("study") if isinstance(link, dict) else None
        belongs_to = None if origin is None else str(origin)
        retries = times(stored.get(RETRIES_ASKED_FOR))
        return cls(study_id, name, text, bool(stored.get(STOPPED, False)), belongs_to, retries)


def listed(engine: Engine) -> list[Listed]:
    """All studies, oldest first.

    Args:
        engine: Of Optuna's RDB storage.
    """
    user, keys = tables.STUDY_USER, [DEFINITION, STOPPED, ORIGIN, RETRIES_ASKED_FOR]
    with engine.connect() as connection:
        names = connection.execute(
            select(tables.STUDIES.c.study_id, tables.STUDIES.c.study_name).order_by(tables.STUDIES.c.study_id)
        ).all()
        rows = connection.execute(select(user.c.study_id, user.c.key, user.c.value_json).where(user.c.key.in_(keys)))
        stored: dict[int, dict[str, Any]] = {}
        definitions: dict[int, str | None] = {}
        for study_id, key, text in rows:
            if key == DEFINITION:
                definitions[study_id] = _sorted(text)
            else:  # who loads the study says what is wrong with it
                stored.setdefault(study_id, {})[key] = stored_values.readable(text)
    return [
        replace(Listed.of(int(study_id), str(name), stored.get(study_id, {})), definition=definitions.get(study_id))
        for study_id, name in names
    ]


@lru_cache(maxsize=MOST)
def _sorted(text: str) -> str | None:
    """A definition with its keys in order; None for one that is no JSON. Thousands are listed again and again."""
    found = stored_values.readable(text)
    return None if found is None else json.dumps(found, sort_keys=True)


def attributes(engine: Engine, study_id: int) -> dict[str, Any]:
    """A study's user attributes; one that is no JSON is None.

    Args:
        engine: Of Optuna's RDB storage.
        study_id: Optuna's id of the study.

    Raises:
        DeletedStudyError: The study was deleted.
    """
    user = tables.STUDY_USER
    with engine.connect() as connection:
        there = select(tables.STUDIES.c.study_id).where(tables.STUDIES.c.study_id == study_id)
        if connection.execute(there).first() is None:
            raise DeletedStudyError
        rows = connection.execute(select(user.c.key, user.c.value_json).where(user.c.study_id == study_id)).all()
    return {str(key): stored_values.readable(text) for key, text in rows}
