"""All trials of a study at once, curves included: six selects, however many trials there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, Engine, String, Table, select, type_coerce

from lrsearch.garbage import not_searched
from lrsearch.storage import stored_values
from lrsearch.storage.attributes import ERROR
from lrsearch.storage.broken_rows import BROKEN, BrokenRows
from lrsearch.storage.tables import INTERMEDIATE, PARAMS, SYSTEM, TRIALS, USER, VALUES

TOGETHER = 5000
"""Rows that are taken over at a time: one by one takes longer, and all at once more memory."""


@not_searched()
def all_trials(engine: Engine, study_id: int) -> list[FrozenTrial]:
    """What ``study.get_trials()`` gives, by number; five to ten times as fast.

    Args:
        engine: Of Optuna's RDB storage.
        study_id: Optuna's id of the study.
    """
    with engine.connect() as connection:
        # First, so that a trial that is said to be finished has everything it will ever have.
        columns = (
            TRIALS.c.trial_id,
            TRIALS.c.number,
            TRIALS.c.state,
            TRIALS.c.datetime_start,
            TRIALS.c.datetime_complete,
        )
        rows = connection.execute(select(*columns).where(TRIALS.c.study_id == study_id).order_by(TRIALS.c.number)).all()
        broken = BrokenRows()
        params: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        kinds: defaultdict[int, dict[str, BaseDistribution]] = defaultdict(dict)
        named = (PARAMS.c.param_id, PARAMS.c.param_name, PARAMS.c.param_value, PARAMS.c.distribution_json)
        for trial_id, _, name, stored, text in sorted(_rows(connection, study_id, PARAMS, *named), key=lambda r: r[1]):
            try:
                kinds[trial_id][name], params[trial_id][name] = stored_values.parameter_of(stored, text)
            except BROKEN as error:
                broken.leave_out(trial_id, error)
        curves: defaultdict[int, dict[int, float]] = defaultdict(dict)
        # By its name: nearly all of these rows have a number, and need no member of an enum beside it.
        named_kind = type_coerce(INTERMEDIATE.c.intermediate_value_type, String)
        steps = (INTERMEDIATE.c.step, INTERMEDIATE.c.intermediate_value, named_kind)
        for trial_id, step, stored, kind in _rows(connection, study_id, INTERMEDIATE, *steps):
            curves[trial_id][step] = stored_values.not_finite(kind) if stored is None else stored
        values: defaultdict[int, list[float]] = defaultdict(list)
        ends = _rows(connection, study_id, VALUES, VALUES.c.objective, VALUES.c.value, VALUES.c.value_type)
        for trial_id, _, stored, kind in sorted(ends, key=lambda row: row[1]):
            if (value := stored_values.value_of(stored, kind)) is not None:
                values[trial_id].append(value)
        user, system = (_attributes(connection, study_id, table, broken) for table in (USER, SYSTEM))
    broken.tell({trial_id: number for trial_id, number, *_ in rows})
    return [
        FrozenTrial(
            number=number,
            # What is left of a broken trial must not win, and its number must stay.
            state=state if broken.reason(trial_id) is None else TrialState.FAIL,
            value=None,
            values=values.get(trial_id) if broken.reason(trial_id) is None else None,
            datetime_start=_local(start),
            datetime_complete=_local(end),
            params=params[trial_id],
            distributions=kinds[trial_id],
            user_attrs=user[trial_id] | ({} if (why := broken.reason(trial_id)) is None else {ERROR: why}),
            system_attrs=system[trial_id],
            intermediate_values=dict(sorted(curves[trial_id].items())),
            trial_id=trial_id,
        )
        for trial_id, number, state, start, end in rows
    ]


def _rows(connection: Connection, study_id: int, table: Table, *columns: Any) -> Iterator[Any]:
    """Trial id and the columns, of everything that hangs on the study's trials."""
    joined = table.join(TRIALS, TRIALS.c.trial_id == table.c.trial_id)
    wanted = select(table.c.trial_id, *columns).select_from(joined).where(TRIALS.c.study_id == study_id)
    for part in connection.execute(wanted).partitions(TOGETHER):
        yield from part


def _attributes(
    connection: Connection, study_id: int, table: Table, broken: BrokenRows
) -> defaultdict[int, dict[str, Any]]:
    found: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for trial_id, key, text in _rows(connection, study_id, table, table.c.key, table.c.value_json):
        try:
            found[trial_id][key] = stored_values.attribute_of(text)
        except BROKEN as error:
            broken.leave_out(trial_id, error)
    return found


def _local(moment: datetime | None) -> datetime | None:
    """The rows keep UTC, a trial has local time."""
    return None if moment is None else moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
