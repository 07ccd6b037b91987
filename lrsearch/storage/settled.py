"""An attribute of a study that is written once: whoever comes later reads what the first one wrote."""

from __future__ import annotations

import json
from typing import Any

import optuna
from optuna.storages import BaseStorage
from sqlalchemy import select

from lrsearch.storage import study_rows, tables
from lrsearch.storage.choice import known_engine
from lrsearch.storage.tables import STUDY_USER


def settle(study: optuna.Study, storage: BaseStorage, key: str, value: Any) -> Any:
    """Write an attribute unless it is there.

    Args:
        study: The study.
        storage: Its storage.
        key: See `attributes`.
        value: Anything that JSON can hold.

    Returns:
        What is there from now on. Of several processes at the same moment all get the same; where Optuna's tables are
        not known, only those that come later do.
    """
    engine, study_id = known_engine(storage), study._study_id
    if engine is None:
        there = storage.get_study_user_attrs(study_id)
        if key not in there:
            storage.set_study_user_attr(study_id, key, value)
        return there.get(key, value)
    with engine.begin() as connection:
        tables.lock_study(connection, study_id)
        stored = select(STUDY_USER.c.value_json).where(STUDY_USER.c.study_id == study_id, STUDY_USER.c.key == key)
        found = connection.execute(stored).scalar()
        if found is not None:
            return json.loads(found)
        study_rows.put(connection, STUDY_USER, study_id, {key: value})
        return value
