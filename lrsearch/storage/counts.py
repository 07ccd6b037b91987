"""Numbers about a study that need no trial to be read: counted by the database."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from optuna.storages import BaseStorage
from optuna.trial import TrialState
from sqlalchemy import ColumnElement, Connection, Engine, and_, exists, func, not_, select

from lrsearch.storage import stored_values, tables
from lrsearch.storage.attributes import CONSTRAINT, RETRIED, WORKER
from lrsearch.storage.liveness import is_dead, is_on_this_machine
from lrsearch.storage.silence import Silences
from lrsearch.storage.tables import (
    CONSTRAINT_PREFIX,
    FINITE,
    HEARTBEATS,
    SYSTEM,
    TRIALS,
    USER,
    VALUES,
    DatabaseNow,
)
from lrsearch.storage.tally import Tally as Tally

LATEST = 1000
"""Trials among which others' success is looked for: one of them is enough."""


def tally(engine: Engine, study_id: int) -> Tally:
    """Count a study's trials.

    Args:
        engine: Of Optuna's RDB storage.
        study_id: Optuna's id of the study.
    """
    own = TRIALS.c.study_id == study_id
    with engine.connect() as connection:
        grouped = select(TRIALS.c.state, func.count()).where(own).group_by(TRIALS.c.state)
        states = {state: int(number) for state, number in connection.execute(grouped)}
        retried = _count(connection, and_(own, TRIALS.c.state == TrialState.FAIL, _has(USER, RETRIED)))
        diverged = _count(connection, and_(own, TRIALS.c.state == TrialState.COMPLETE, _is_diverged()))
    return Tally(
        complete=states.get(TrialState.COMPLETE, 0),
        pruned=states.get(TrialState.PRUNED, 0),
        failed=states.get(TrialState.FAIL, 0) - retried,
        retried=retried,
        running=states.get(TrialState.RUNNING, 0),
        waiting=states.get(TrialState.WAITING, 0),
        diverged=diverged,
    )


def best_value(engine: Engine, study_id: int, excluded: Collection[int], *, maximise: bool = False) -> float | None:
    """The best value of a study that lrsearch created; `study.ranking` says what that is.

    Args:
        engine: Of Optuna's RDB storage.
        study_id: Optuna's id of the study.
        excluded: Numbers of the trials that a person took out.
        maximise: Whether larger values are better.

    Returns:
        The value; None if no trial may be the best.
    """
    joined = VALUES.join(TRIALS, TRIALS.c.trial_id == VALUES.c.trial_id)
    fit = and_(
        TRIALS.c.study_id == study_id,
        TRIALS.c.state == TrialState.COMPLETE,
        TRIALS.c.number.not_in(list(excluded)),
        VALUES.c.value_type == FINITE,
        not_(_is_diverged()),
    )
    best = func.max(VALUES.c.value) if maximise else func.min(VALUES.c.value)
    with engine.connect() as connection:
        found: float | None = connection.execute(select(best).select_from(joined).where(fit)).scalar()
    return found


def running(connection: Connection, study_id: int) -> dict[int, int]:
    """Id -> number of a study's running trials."""
    own = and_(TRIALS.c.study_id == study_id, TRIALS.c.state == TrialState.RUNNING)
    rows = connection.execute(select(TRIALS.c.trial_id, TRIALS.c.number).where(own))
    return {int(trial_id): int(number) for trial_id, number in rows}


def stale(connection: Connection, study_id: int, grace: float, silences: Silences) -> dict[int, int]:
    """Id -> number of a study's running trials whose process is gone.

    Args:
        connection: In a transaction.
        study_id: Optuna's id of the study.
        grace: Seconds without a heartbeat after which a process on another machine is taken to be gone.
        silences: Has watched the heartbeats of this machine's processes so far.
    """
    there = running(connection, study_id)
    if not there:
        return {}
    workers = tables.attributes(connection, USER, there, WORKER)
    moment: datetime = connection.execute(select(DatabaseNow())).scalar_one()
    rows = connection.execute(
        select(HEARTBEATS.c.trial_id, HEARTBEATS.c.heartbeat).where(HEARTBEATS.c.trial_id.in_(list(there)))
    )
    beats: dict[int, datetime] = {int(trial_id): beat for trial_id, beat in rows}
    own_clock = connection.dialect.name == "sqlite"
    watched = {i: beat for i, beat in beats.items() if own_clock and is_on_this_machine(workers.get(i))}
    limit = moment - timedelta(seconds=grace)
    lost = {i for i, beat in beats.items() if i not in watched and beat < limit}
    lost |= silences.silent(watched, grace) | {i for i in there if is_dead(workers.get(i))}
    return {trial_id: there[trial_id] for trial_id in sorted(lost)}


def successful(connection: Connection, study_id: int) -> list[Any]:
    """The processes that trained a study's last complete or pruned trials, as each trial stores it.

    Args:
        connection: Of the database.
        study_id: Optuna's id of the study.
    """
    done = TRIALS.c.state.in_([TrialState.COMPLETE, TrialState.PRUNED])
    rows = connection.execute(
        select(USER.c.value_json)
        .join(TRIALS, TRIALS.c.trial_id == USER.c.trial_id)
        .where(TRIALS.c.study_id == study_id, done, USER.c.key == WORKER)
        .order_by(TRIALS.c.trial_id.desc())
        .limit(LATEST)
    )
    return [stored_values.readable(text) for text in rows.scalars()]


def engine_of(storage: BaseStorage) -> Engine | None:
    """The database behind a storage; None if there is none."""
    found = getattr(getattr(storage, "_backend", storage), "engine", None)
    return found if isinstance(found, Engine) else None


def _has(table: object, key: str) -> ColumnElement[bool]:
    return exists().where(table.c.trial_id == TRIALS.c.trial_id, table.c.key == key)  # type: ignore[attr-defined]


def _is_diverged() -> ColumnElement[bool]:
    return _has(SYSTEM, CONSTRAINT_PREFIX + CONSTRAINT)


def _count(connection: Connection, condition: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(TRIALS).where(condition)).scalar_one())
