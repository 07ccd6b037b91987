"""Is what we write what the installed Optuna reads? Tried on a few trials before anything real is written."""

from __future__ import annotations

import json
import math
import os
import platform
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import optuna
import sqlalchemy
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from lrsearch import found_out
from lrsearch.storage import study_rows, tables
from lrsearch.storage.tables import CONSTRAINT_PREFIX, TrialRows
from lrsearch.version import __version__

_NAME = 'a "canary", é'
_ATTRIBUTES = {"definition": {"study": {"name": _NAME, "trials": 3}}, "list": [1.5, None, True]}
_DISTRIBUTIONS = {
    "lr": FloatDistribution(1e-4, 0.3, log=True),
    "scheduler": CategoricalDistribution(["constant", "lambda"]),
    "patience": IntDistribution(1, 10),
}
_PARAMS = {"lr": 0.0123456789012345678, "scheduler": "lambda", "patience": 3}
# The row keeps UTC, the trial is read in local time.
_MOMENT = datetime(2020, 7, 1, 12, 30, 15)


@cache
def tables_are_known() -> str | None:
    """Write trials of every kind into a database in memory and read them through Optuna.

    That all is well is kept on this machine for as long as neither side's code changes; a fault is looked for anew.

    Returns:
        None if every one came back as it was meant; otherwise what was different, in a line.
    """
    question = _question()
    if found_out.recall(question) is True:
        return None
    fault = _tried_out()
    if fault is None:
        found_out.keep(question, True)
    return fault


def _question() -> str:
    """All that the outcome depends on: versions, the code on both sides, and how moments are told here."""
    versions = [optuna.__version__, sqlalchemy.__version__, sqlite3.sqlite_version, platform.python_version()]
    files = sorted([*Path(__file__).parent.glob("*.py"), *Path(models.__file__).parent.glob("*.py")])
    code = [(str(file), (stat := file.stat()).st_mtime_ns, stat.st_size) for file in files]
    zone = [os.environ.get("TZ"), *time.tzname, time.timezone, time.altzone]
    return json.dumps(["canary", __version__, versions, code, zone])


def _tried_out() -> str | None:
    try:
        storage = RDBStorage("sqlite://")
        rows = _rows()
        with storage.engine.begin() as connection:
            study_id, _ = study_rows.add(connection, _NAME, StudyDirection.MINIMIZE)
            for table in (tables.STUDY_USER, tables.STUDY_SYSTEM):
                study_rows.put(connection, table, study_id, _ATTRIBUTES)
            tables.lock_study(connection, study_id)
            tables.add_trials(connection, study_id, rows)
        study, read = storage.get_all_studies()[0], storage.get_all_trials(study_id)
        storage.engine.dispose()
    except Exception as error:
        # Whatever another version of Optuna raises here says the same: do not touch its tables.
        return f"{type(error).__name__}: {error}".splitlines()[0]
    written = (_NAME, [StudyDirection.MINIMIZE], _ATTRIBUTES, _ATTRIBUTES)
    if written != (study.study_name, study.directions, study.user_attrs, study.system_attrs):
        return "a study came back changed"
    if len(read) != len(rows):
        return f"{len(rows)} trials were written and {len(read)} read"
    return next((fault for number, row in enumerate(rows) if (fault := _fault(number, row, read[number]))), None)


def _rows() -> list[TrialRows]:
    full = TrialRows(
        TrialState.COMPLETE,
        value=1.25,
        params=_PARAMS,
        distributions=_DISTRIBUTIONS,
        user={"curve": [1.0, None], "text": 'é"|'},
        system={CONSTRAINT_PREFIX + "diverged": 1.0},
        intermediate={1: math.nan, 2: math.inf, 3: -math.inf, 4: 0.1},
        started=_MOMENT,
        completed=_MOMENT + timedelta(seconds=90),
    )
    pruned = TrialRows(TrialState.PRUNED, value=math.inf, started=_MOMENT, completed=_MOMENT)
    waiting = TrialRows(TrialState.WAITING, system={tables.FIXED_PARAMS: {"lr": 0.1}})
    return [full, pruned, waiting, TrialRows(TrialState.RUNNING, started=_MOMENT)]


def _fault(number: int, row: TrialRows, read: FrozenTrial) -> str | None:
    compared = {
        "number": (number, read.number),
        "state": (row.state, read.state),
        "value": (row.value, read.values[0] if read.values else None),
        "parameters": (dict(row.params), read.params),
        "distributions": (dict(row.distributions), read.distributions),
        "user attributes": (dict(row.user), read.user_attrs),
        "system attributes": (dict(row.system), read.system_attrs),
        "intermediate values": (repr(dict(row.intermediate)), repr(dict(sorted(read.intermediate_values.items())))),
        "start": (_local(row.started), read.datetime_start),
        "end": (_local(row.completed), read.datetime_complete),
    }
    wrong = next((name for name, (written, found) in compared.items() if written != found), None)
    return None if wrong is None else f"the {wrong} of a {row.state.name} trial came back changed"


def _local(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
