"""A study as rows of Optuna's tables: found, inserted, and given its attributes, in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import Connection, Table, delete, insert, select

from lrsearch.storage import tables
from lrsearch.storage.tables import DIRECTIONS, METRIC_NAMES, STUDIES, STUDY_SYSTEM, STUDY_USER, TRIALS


def found(connection: Connection, name: str) -> tuple[int, str] | None:
    """Id and name of the study that the database takes for this one: to some, Lr and lr are the same.

    Args:
        connection: Of the database.
        name: A study's name.
    """
    row = connection.execute(
        select(STUDIES.c.study_id, STUDIES.c.study_name).where(STUDIES.c.study_name == name)
    ).first()
    return None if row is None else (int(row[0]), str(row[1]))


def add(connection: Connection, name: str, direction: StudyDirection) -> tuple[int, str]:
    """Insert a study without trials or attributes.

    Args:
        connection: In a transaction.
        name: Its name.
        direction: Which values are better.

    Returns:
        Its id, and its name as the database has kept it.
    """
    connection.execute(insert(STUDIES), [{"study_name": name}])
    there = found(connection, name)
    if there is None:
        return 0, ""
    connection.execute(insert(DIRECTIONS), [{"study_id": there[0], "objective": 0, "direction": direction}])
    return there


def put(connection: Connection, table: Table, study_id: int, attributes: Mapping[str, Any]) -> None:
    """Write attributes; a key that is there gets its new value.

    Args:
        connection: In a transaction.
        table: `STUDY_USER` or `STUDY_SYSTEM`.
        study_id: Optuna's id of the study.
        attributes: What to write.
    """
    if not attributes:
        return
    connection.execute(delete(table).where(table.c.study_id == study_id, table.c.key.in_(list(attributes))))
    rows = [{"study_id": study_id, "key": key, "value_json": json.dumps(own)} for key, own in attributes.items()]
    connection.execute(insert(table), rows)


def is_untouched(connection: Connection, study_id: int, direction: StudyDirection, ours: set[str]) -> bool:
    """Whether nobody has done anything with a study but begun to create it, as we do.

    Args:
        connection: In a transaction, with the study's lock.
        study_id: Optuna's id of the study.
        direction: What it would be created with.
        ours: The user attributes that its creation writes before it is whole.
    """
    keys, system = (
        set(connection.execute(select(table.c.key).where(table.c.study_id == study_id)).scalars())
        for table in (STUDY_USER, STUDY_SYSTEM)
    )
    ways = connection.execute(select(DIRECTIONS.c.direction).where(DIRECTIONS.c.study_id == study_id)).scalars()
    states = list(connection.execute(select(TRIALS.c.state).where(TRIALS.c.study_id == study_id)).scalars())
    begun_by_us = METRIC_NAMES in system or not states
    nothing_else = keys <= ours and system <= {METRIC_NAMES} and all(state == TrialState.WAITING for state in states)
    return begun_by_us and nothing_else and list(ways) == [direction]


def delete_trials(connection: Connection, study_id: int) -> None:
    """Delete the trials of a study in which nothing was trained; the caller holds its lock.

    Args:
        connection: In a transaction.
        study_id: Optuna's id of the study.
    """
    own = list(connection.execute(select(TRIALS.c.trial_id).where(TRIALS.c.study_id == study_id)).scalars())
    for table in (tables.SYSTEM, tables.USER, TRIALS) if own else ():
        connection.execute(delete(table).where(table.c.trial_id.in_(own)))
