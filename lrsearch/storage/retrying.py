"""Trials that failed for good are run again: they become retried ones, and their settings wait under new numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import TrialState
from sqlalchemy import Connection, select

from lrsearch.storage import stored_values, study_rows, tables
from lrsearch.storage.attributes import FAILURES_SO_FAR, RETRIED, RETRIES_ASKED_FOR, RETRY_OF
from lrsearch.storage.store import MACHINES, times
from lrsearch.storage.tables import FIXED_PARAMS, STUDY_USER, SYSTEM, TRIALS, USER, TrialRows


def failed_for_good(connection: Connection, study_id: int, numbers: Sequence[int]) -> dict[int, int]:
    """Id -> number of those trials that failed and were not run again, by number.

    Args:
        connection: In a transaction, with the study's lock.
        study_id: Optuna's id of the study.
        numbers: Trials of the study.
    """
    rows = connection.execute(
        select(TRIALS.c.trial_id, TRIALS.c.number)
        .where(TRIALS.c.study_id == study_id, TRIALS.c.number.in_(list(numbers)), TRIALS.c.state == TrialState.FAIL)
        .order_by(TRIALS.c.number)
    )
    failed = {int(trial_id): int(number) for trial_id, number in rows}
    retried = tables.attributes(connection, USER, failed, RETRIED)
    return {trial_id: number for trial_id, number in failed.items() if trial_id not in retried}


def run_again(
    connection: Connection, study_id: int, failed: Mapping[int, int], reason: str, *, at_fault: bool
) -> list[int]:
    """Let the settings of failed trials wait.

    Args:
        connection: In a transaction, with the study's lock.
        study_id: Optuna's id of the study.
        failed: Id -> number of each.
        reason: Why; stored with them.
        at_fault: See `TrialStore.retry`.

    Returns:
        The numbers of those that are run again.
    """
    params = tables.params(connection, failed)
    fixed = tables.attributes(connection, SYSTEM, failed, FIXED_PARAMS)
    before = tables.attributes(connection, USER, failed, FAILURES_SO_FAR)
    failures = {trial_id: times(before.get(trial_id)) + at_fault for trial_id in failed}
    again = [trial_id for trial_id in failed if failures[trial_id] <= MACHINES or not at_fault]
    if not again:
        return []
    rows = []
    for trial_id in again:
        there = fixed.get(trial_id, {})
        settings = {**there, **params.get(trial_id, {})} if isinstance(there, dict) else there
        user = {RETRY_OF: failed[trial_id], **({FAILURES_SO_FAR: failures[trial_id]} if at_fault else {})}
        # What cannot be read stays so, and is refused again: nobody trains other settings in its place.
        rows.append(TrialRows(TrialState.WAITING, user=user, system={} if settings == {} else {FIXED_PARAMS: settings}))
    tables.put_attributes(connection, USER, {trial_id: {RETRIED: reason} for trial_id in again})
    tables.add_trials(connection, study_id, rows)
    study_rows.put(connection, STUDY_USER, study_id, {RETRIES_ASKED_FOR: asked_for(connection, study_id) + 1})
    return [failed[trial_id] for trial_id in again]


def asked_for(connection: Connection, study_id: int) -> int:
    """How often failed trials of a study were run again.

    Args:
        connection: In a transaction.
        study_id: Optuna's id of the study.
    """
    stored: Any = connection.execute(
        select(STUDY_USER.c.value_json).where(STUDY_USER.c.study_id == study_id, STUDY_USER.c.key == RETRIES_ASKED_FOR)
    ).scalar()
    return 0 if stored is None else times(stored_values.readable(stored))
