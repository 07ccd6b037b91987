"""All studies of a storage at a glance: the same few statements for one study and for a thousand, without Optuna.

Optuna takes longer to import than a thousand studies take to be read. So its tables are named here a second time, for
reading only; `REVISION` says of which schema this is true, and a test compares them with `tables`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, column, func, inspect, literal_column, select, table
from sqlalchemy import String as Text
from sqlalchemy import cast as sql_cast

from lrsearch.storage.attributes import CONSTRAINT, DEFINITION, RETRIED, excluded
from lrsearch.storage.tally import Tally

REVISION = "v3.2.0.a"
"""The schema of which what stands here is known to be true."""
CONSTRAINTS = "constraints"
"""What the system attributes begin with in which a trial keeps its constraints."""
KNOWN = {
    "studies": ("study_id", "study_name"),
    "study_directions": ("study_id", "direction"),
    "study_user_attributes": ("study_id", "key", "value_json"),
    "trials": ("trial_id", "number", "study_id", "state"),
    "trial_user_attributes": ("trial_id", "key"),
    "trial_system_attributes": ("trial_id", "key", "value_json"),
    "trial_values": ("trial_id", "value", "value_type"),
}
"""Table -> the columns that are read."""
STUDIES, DIRECTIONS, STUDY_USER, TRIALS, USER, SYSTEM, VALUES = (
    table(name, *map(column, columns)) for name, columns in KNOWN.items()
)

NO_TRIALS = Tally(0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Glimpse:
    """A study as it is seen at a glance.

    Attributes:
        study_id: Optuna's id.
        name: Its name.
        directions: ``MINIMIZE`` or ``MAXIMIZE`` of each objective.
        attributes: Those of its user attributes that were asked for; one that is no JSON is None.
        tally: How many trials of each kind it has.
        best: The value of its best trial; None if there is none, or it has several objectives.
    """

    study_id: int
    name: str
    directions: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tally: Tally = NO_TRIALS
    best: float | None = None

    @property
    def maximises(self) -> bool:
        return self.directions[:1] == ("MAXIMIZE",)


def is_known(engine: Engine) -> bool:
    """Whether a database has the schema of which this file knows.

    Args:
        engine: Of the database.
    """
    if not inspect(engine).has_table("alembic_version"):
        return False
    with engine.connect() as connection:
        found = connection.execute(select(column("version_num", Text)).select_from(table("alembic_version")))
        return found.scalars().all() == [REVISION]


def glance(engine: Engine, keys: Collection[str]) -> list[Glimpse]:
    """All studies, oldest first.

    Args:
        engine: Of a database that `is_known`.
        keys: The user attributes to read, see `attributes`.
    """
    with engine.connect() as connection:
        names = connection.execute(select(STUDIES.c.study_id, STUDIES.c.study_name).order_by(STUDIES.c.study_id)).all()
        directions = _directions(connection)
        attributes = _attributes(connection, keys)
        tallies = tallied(connection)
        best = _best(connection, directions, attributes)
    return [
        Glimpse(
            int(study_id), str(name), directions.get(study_id, ()), attributes.get(study_id, {}),
            tallies.get(study_id, NO_TRIALS), best.get(study_id),
        )
        for study_id, name in names
    ]  # fmt: skip


def tallied(connection: Connection) -> dict[int, Tally]:
    """Study id -> how many trials of each kind it has, of all studies that have any.

    Args:
        connection: Of such a database.
    """
    retried = and_(USER.c.trial_id == TRIALS.c.trial_id, USER.c.key == RETRIED)
    diverged = and_(SYSTEM.c.trial_id == TRIALS.c.trial_id, SYSTEM.c.key == f"{CONSTRAINTS}:{CONSTRAINT}")
    state = sql_cast(TRIALS.c.state, Text(16))
    rows = connection.execute(
        select(TRIALS.c.study_id, state, func.count(), func.count(USER.c.trial_id), func.count(SYSTEM.c.trial_id))
        .select_from(TRIALS.outerjoin(USER, retried).outerjoin(SYSTEM, diverged))
        .group_by(TRIALS.c.study_id, TRIALS.c.state)
    )
    found: dict[int, dict[str, Row[Any]]] = {}
    for row in rows:
        found.setdefault(int(row[0]), {})[str(row[1])] = row
    return {study_id: _tally(states) for study_id, states in found.items()}


def _tally(states: Mapping[str, Row[Any]]) -> Tally:
    def of(state: str, place: int = 2) -> int:
        return int(states[state][place]) if state in states else 0

    retried = of("FAIL", 3)
    return Tally(of("COMPLETE"), of("PRUNED"), of("FAIL") - retried, retried, of("RUNNING"), of("WAITING"),
                 of("COMPLETE", 4))  # fmt: skip


def _directions(connection: Connection) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    direction = sql_cast(DIRECTIONS.c.direction, Text(16))
    for study_id, name in connection.execute(select(DIRECTIONS.c.study_id, direction)):
        found[int(study_id)] = (*found.get(int(study_id), ()), str(name))
    return found


def _attributes(connection: Connection, keys: Collection[str]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    wanted = STUDY_USER.c.key.in_(list(keys))
    for study_id, key, text in connection.execute(
        select(STUDY_USER.c.study_id, STUDY_USER.c.key, STUDY_USER.c.value_json).where(wanted)
    ):
        found.setdefault(int(study_id), {})[str(key)] = _json(text)
    return found


def _best(
    connection: Connection, directions: Mapping[int, tuple[str, ...]], attributes: Mapping[int, Mapping[str, Any]]
) -> dict[int, float]:
    """Study id -> its best value: by the database, but where single trials are to be left out."""
    single = {study_id for study_id, found in directions.items() if len(found) == 1}
    # What somebody took out, and what breaks a constraint of another tool, cannot be told by the key alone.
    by_trial = [i for i in single if excluded(attributes.get(i, {})) or DEFINITION not in attributes.get(i, {})]
    diverged = and_(SYSTEM.c.trial_id == TRIALS.c.trial_id, SYSTEM.c.key == f"{CONSTRAINTS}:{CONSTRAINT}")
    fit = and_(TRIALS.c.state == literal_column("'COMPLETE'"), VALUES.c.value_type == literal_column("'FINITE'"))
    joined = TRIALS.join(VALUES, VALUES.c.trial_id == TRIALS.c.trial_id)
    rows = connection.execute(
        select(TRIALS.c.study_id, func.min(VALUES.c.value), func.max(VALUES.c.value))
        .select_from(joined.outerjoin(SYSTEM, diverged))
        .where(fit, SYSTEM.c.trial_id.is_(None))
        .group_by(TRIALS.c.study_id)
    )
    found = {int(i): float(most if directions[i] == ("MAXIMIZE",) else least) for i, least, most in rows if i in single}
    if not by_trial:
        return found
    trials = connection.execute(
        select(TRIALS.c.study_id, TRIALS.c.trial_id, TRIALS.c.number, VALUES.c.value)
        .select_from(joined)
        .where(fit, TRIALS.c.study_id.in_(by_trial))
    ).all()
    breaking = _breaking(connection, by_trial)
    left: dict[int, list[float]] = {study_id: [] for study_id in by_trial}
    for study_id, trial_id, number, value in trials:
        if trial_id not in breaking and number not in excluded(attributes.get(study_id, {})):
            left[study_id].append(float(value))
    for study_id, values in left.items():
        found.pop(study_id, None)
        if values:
            found[study_id] = max(values) if directions[study_id] == ("MAXIMIZE",) else min(values)
    return found


def _breaking(connection: Connection, studies: Iterable[int]) -> set[int]:
    """Ids of the trials that break a constraint: each is an attribute or, before Optuna 5, an entry of a list."""
    rows = connection.execute(
        select(SYSTEM.c.trial_id, SYSTEM.c.value_json)
        .select_from(SYSTEM.join(TRIALS, TRIALS.c.trial_id == SYSTEM.c.trial_id))
        .where(TRIALS.c.study_id.in_(list(studies)), SYSTEM.c.key.like(f"{CONSTRAINTS}%"))
    )
    breaking = set()
    for trial_id, text in rows:
        value = _json(text)
        values = value if isinstance(value, list) else [value]
        if any(isinstance(one, int | float) and one > 0 for one in values):
            breaking.add(int(trial_id))
    return breaking


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
