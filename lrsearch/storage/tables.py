"""Everything lrsearch knows of Optuna's tables: their columns, and how a value becomes a row.

No other file names a table or a column. `schema_check` makes sure at the start that what is written here is what the
installed Optuna reads; if not, nothing here is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import TrialState
from sqlalchemy import Column, Connection, DateTime, MetaData, Select, String, Table, Text, delete, func, insert, select
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from lrsearch.errors import DeletedStudyError
from lrsearch.storage.stored_values import param_of, readable

STUDIES: Table = models.StudyModel.__table__
STUDY_USER: Table = models.StudyUserAttributeModel.__table__
STUDY_SYSTEM: Table = models.StudySystemAttributeModel.__table__
DIRECTIONS: Table = models.StudyDirectionModel.__table__
METRIC_NAMES = "study:metric_names"
"""System attribute of a study under which Optuna keeps what its values are called."""
TRIALS: Table = models.TrialModel.__table__
PARAMS: Table = models.TrialParamModel.__table__
VALUES: Table = models.TrialValueModel.__table__
FINITE = models.TrialValueModel.TrialValueType.FINITE
"""Type of a final value that is a number and no infinity."""
INTERMEDIATE: Table = models.TrialIntermediateValueModel.__table__
USER: Table = models.TrialUserAttributeModel.__table__
SYSTEM: Table = models.TrialSystemAttributeModel.__table__
HEARTBEATS: Table = models.TrialHeartbeatModel.__table__
REVISION = Table("alembic_version", MetaData(), Column("version_num", String(32)))
"""Where Optuna's migrations note which schema the database has."""

# MariaDB and MySQL drop the fractions of a second unless a column asks for them, and keep 64 KiB of a TEXT. A table
# that Optuna created before stays as it is; one that is created from here on keeps them, and 16 MiB.
for _column in (TRIALS.c.datetime_start, TRIALS.c.datetime_complete):
    _column.type = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
ATTRIBUTES: tuple[Column[str], ...] = tuple(table.c.value_json for table in (USER, SYSTEM, STUDY_USER))
"""What holds attributes, which may be long: a trial's curves, a study's definition."""
for _attribute in ATTRIBUTES:
    _attribute.type = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")

FIXED_PARAMS = "fixed_params"
"""System attribute under which Optuna keeps the parameters that an enqueued trial shall have."""
CONSTRAINT_PREFIX = "constraints:"
"""What Optuna writes before a constraint's name to make its system attribute."""


class DatabaseNow(FunctionElement[datetime]):
    """The moment by the database's clock, in UTC: those of the machines may differ by minutes."""

    type = DateTime()
    inherit_cache = True


@compiles(DatabaseNow)
def _current_timestamp(_element: DatabaseNow, _compiler: Any, **_options: Any) -> str:
    return "CURRENT_TIMESTAMP"


@compiles(DatabaseNow, "postgresql")
def _clock_timestamp(_element: DatabaseNow, _compiler: Any, **_options: Any) -> str:
    """There CURRENT_TIMESTAMP stands still in a transaction, which may have waited long for the study's lock."""
    return "CAST(clock_timestamp() AS timestamp)"


@dataclass(frozen=True)
class TrialRows:
    """A trial that is to be inserted, with everything that hangs on it."""

    state: TrialState
    value: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    distributions: Mapping[str, BaseDistribution] = field(default_factory=dict)
    user: Mapping[str, Any] = field(default_factory=dict)
    system: Mapping[str, Any] = field(default_factory=dict)
    intermediate: Mapping[int, float] = field(default_factory=dict)
    started: datetime | None = None
    completed: datetime | None = None


def now() -> datetime:
    """This machine's moment as Optuna 5 stores it: UTC, without saying so. For people; nothing is judged by it."""
    return datetime.now(UTC).replace(tzinfo=None)


def revision(connection: Connection) -> str | None:
    """The schema that the database says it has; None while somebody is still creating it."""
    return connection.execute(select(REVISION.c.version_num)).scalars().first()


@cache
def known_revisions() -> tuple[str, ...]:
    """The schemas that the installed Optuna knows, newest first."""
    # Optuna tells them only of a storage that it has opened, and opening writes.
    scripts = ScriptDirectory(str(Path(models.__file__).parent / "alembic"))
    return tuple(script.revision for script in scripts.walk_revisions())


def lock_study(connection: Connection, study_id: int) -> None:
    """Wait until no other transaction counts, claims or retries this study's trials; held until the commit.

    SQLite has no such clause: there the transaction itself was begun with the write lock.

    Raises:
        DeletedStudyError: The study is not there any more.
    """
    there = select(STUDIES.c.study_id).where(STUDIES.c.study_id == study_id).with_for_update()
    if connection.execute(there).first() is None:
        raise DeletedStudyError


def last_trial(connection: Connection, study_id: int) -> tuple[int, int]:
    """How many trials a study has, and the newest one's id; 0 where it has none.

    Args:
        connection: In a transaction.
        study_id: Optuna's id of the study.
    """
    counted = select(func.count(), func.coalesce(func.max(TRIALS.c.trial_id), 0))
    number, newest = connection.execute(counted.where(TRIALS.c.study_id == study_id)).one()
    return int(number), int(newest)


def add_trials(
    connection: Connection, study_id: int, trials: list[TrialRows], there: tuple[int, int] | None = None
) -> list[tuple[int, int]]:
    """Insert trials with the next numbers; the caller holds the study's lock.

    Args:
        connection: In a transaction.
        study_id: Optuna's id of the study.
        trials: What to insert.
        there: How many the study has and the last one's id, where the caller has looked under the lock.

    Returns:
        (trial id, number) of each, in the order given.
    """
    if not trials:
        return []
    first, last_id = last_trial(connection, study_id) if there is None else there
    rows = [
        {"number": first + i, "study_id": study_id, "state": t.state, "datetime_start": t.started,
         "datetime_complete": t.completed}
        for i, t in enumerate(trials)
    ]  # fmt: skip
    connection.execute(insert(TRIALS), rows)
    # The ids are read back by number: not every database returns them in the order of the rows.
    found = connection.execute(
        select(TRIALS.c.trial_id, TRIALS.c.number)
        .where(TRIALS.c.study_id == study_id, TRIALS.c.trial_id > last_id)
        .order_by(TRIALS.c.number)
    )
    ids = [(int(trial_id), int(number)) for trial_id, number in found]
    by_id = dict(zip((trial_id for trial_id, _ in ids), trials, strict=True))
    add_params(connection, {i: (t.params, t.distributions) for i, t in by_id.items()})
    add_values(connection, {i: t.value for i, t in by_id.items() if t.value is not None})
    put_intermediate(connection, {i: t.intermediate for i, t in by_id.items()}, fresh=True)
    put_attributes(connection, USER, {i: t.user for i, t in by_id.items()}, fresh=True)
    put_attributes(connection, SYSTEM, {i: t.system for i, t in by_id.items()}, fresh=True)
    return ids


def add_params(
    connection: Connection, params: Mapping[int, tuple[Mapping[str, Any], Mapping[str, BaseDistribution]]]
) -> None:
    """Insert parameters: trial id -> (values, distributions), by name."""
    _insert(
        connection,
        PARAMS,
        [
            {
                "trial_id": trial_id,
                "param_name": name,
                "param_value": distributions[name].to_internal_repr(value),
                "distribution_json": distribution_to_json(distributions[name]),
            }
            for trial_id, (values, distributions) in params.items()
            for name, value in values.items()
        ],
    )


def add_values(connection: Connection, values: Mapping[int, float]) -> None:
    """Insert final values: trial id -> value."""
    rows = []
    for trial_id, value in values.items():
        stored, kind = models.TrialValueModel.value_to_stored_repr(value)
        rows.append({"trial_id": trial_id, "objective": 0, "value": stored, "value_type": kind})
    _insert(connection, VALUES, rows)


def put_intermediate(connection: Connection, values: Mapping[int, Mapping[int, float]], *, fresh: bool = False) -> None:
    """Write intermediate values: trial id -> step -> value; a step that is there gets its new value.

    Args:
        connection: In a transaction.
        values: What to write.
        fresh: Whether the trials are new, so that there is nothing to replace.
    """
    if not fresh:
        for steps, trial_ids in _alike(values).items():
            _delete(connection, INTERMEDIATE, trial_ids, INTERMEDIATE.c.step.in_(steps))
    rows = []
    for trial_id, curve in values.items():
        for step, value in curve.items():
            stored, kind = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr(value)
            rows.append(
                {"trial_id": trial_id, "step": step, "intermediate_value": stored, "intermediate_value_type": kind}
            )
    _insert(connection, INTERMEDIATE, rows)


def put_attributes(
    connection: Connection, table: Table, attributes: Mapping[int, Mapping[str, Any]], *, fresh: bool = False
) -> None:
    """Write user or system attributes: trial id -> key -> value; a key that is there gets its new value.

    Args:
        connection: In a transaction.
        table: `USER` or `SYSTEM`.
        attributes: What to write.
        fresh: Whether the trials are new, so that there is nothing to replace.
    """
    if not fresh:
        for keys, trial_ids in _alike(attributes).items():
            _delete(connection, table, trial_ids, table.c.key.in_(keys))
    _insert(
        connection,
        table,
        [
            {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}
            for trial_id, own in attributes.items()
            for key, value in own.items()
        ],
    )


def attributes(connection: Connection, table: Table, trial_ids: Iterable[int], key: str) -> dict[int, Any]:
    """Trial id -> value of one user or system attribute, for those that have it; None for one that is no JSON."""
    rows = connection.execute(
        select(table.c.trial_id, table.c.value_json).where(table.c.trial_id.in_(list(trial_ids)), table.c.key == key)
    )
    return {int(trial_id): readable(value) for trial_id, value in rows}


def params(connection: Connection, trial_ids: Iterable[int] | Select[Any]) -> dict[int, dict[str, Any]]:
    """Trial id -> its parameters, by Optuna's names and in the order they were suggested.

    One that cannot be read is None.
    """
    rows = connection.execute(
        select(PARAMS.c.trial_id, PARAMS.c.param_name, PARAMS.c.param_value, PARAMS.c.distribution_json)
        .where(PARAMS.c.trial_id.in_(trial_ids if isinstance(trial_ids, Select) else list(trial_ids)))
        .order_by(PARAMS.c.param_id)
    )
    found: dict[int, dict[str, Any]] = {}
    for trial_id, name, value, distribution in rows:
        found.setdefault(int(trial_id), {})[name] = param_of(distribution, value)
    return found


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _alike(written: Mapping[int, Mapping[Any, Any]]) -> dict[tuple[Any, ...], list[int]]:
    """Steps or keys -> the trials that get these: what another trial gets is nothing to replace in this one."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for trial_id, own in written.items():
        if own:
            found.setdefault(tuple(sorted(own)), []).append(trial_id)
    return found


def _delete(connection: Connection, table: Table, trial_ids: Iterable[int], condition: Any) -> None:
    if ids := list(trial_ids):
        connection.execute(delete(table).where(table.c.trial_id.in_(ids), condition))
