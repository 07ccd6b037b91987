"""A new study in one transaction: whoever sees it sees all of it, and whoever is killed meanwhile leaves nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from lrsearch.errors import InputError, input_error
from lrsearch.storage import study_rows, tables
from lrsearch.storage.attributes import DEFINITION, ORIGIN
from lrsearch.storage.choice import known_engine
from lrsearch.storage.tables import FIXED_PARAMS, METRIC_NAMES, STUDY_SYSTEM, STUDY_USER, TrialRows


class StudyExistsError(InputError):
    """There is a study of that name already."""


@dataclass(frozen=True)
class NewStudy:
    """What a study has from its first moment.

    Attributes:
        name: Its name.
        user: Optuna's user attributes.
        waiting: The Optuna parameters of each trial that waits to be trained.
        metrics: What the dashboard writes at its axes; nothing by default.
        maximise: Whether larger values are better.
    """

    name: str
    user: Mapping[str, Any]
    waiting: Sequence[Mapping[str, Any]] = ()
    metrics: Sequence[str] = field(default=())
    maximise: bool = False

    @property
    def direction(self) -> StudyDirection:
        return StudyDirection.MAXIMIZE if self.maximise else StudyDirection.MINIMIZE


def create(storage: BaseStorage, new: NewStudy) -> None:
    """Store a study. One that an interrupted creation left half made is finished.

    Args:
        storage: Where.
        new: The study.

    Raises:
        StudyExistsError: There is a study of that name, or of one that the database takes for the same.
        InputError: The database cannot keep the name.
    """
    engine = known_engine(storage)
    if engine is None:
        _create_by_api(storage, new)
        return
    try:
        with engine.begin() as connection:
            _insert(connection, new)
    except IntegrityError:
        # Somebody else was a moment earlier.
        with engine.connect() as connection:
            there = study_rows.found(connection, new.name)
        raise _exists(new.name, new.name if there is None else there[1]) from None
    except (DataError, OperationalError) as error:
        if not _cannot_encode(error):
            raise
        raise _not_kept(new.name) from None


def _insert(connection: Connection, new: NewStudy) -> None:
    there = study_rows.found(connection, new.name)
    if there is None:
        there = study_rows.add(connection, new.name, new.direction)
        if there[1] != new.name:
            raise _not_kept(new.name)
    elif there[1] != new.name:
        raise _exists(new.name, there[1])
    study_id = there[0]
    tables.lock_study(connection, study_id)
    if not study_rows.is_untouched(connection, study_id, new.direction, {*new.user} - {DEFINITION, ORIGIN}):
        raise _exists(new.name, new.name)
    study_rows.delete_trials(connection, study_id)
    study_rows.put(connection, STUDY_USER, study_id, new.user)
    study_rows.put(connection, STUDY_SYSTEM, study_id, {METRIC_NAMES: list(new.metrics)} if new.metrics else {})
    rows = [TrialRows(TrialState.WAITING, system={FIXED_PARAMS: dict(own)}) for own in new.waiting]
    tables.add_trials(connection, study_id, rows)


def _create_by_api(storage: BaseStorage, new: NewStudy) -> None:
    """Step by step, and the definition last: what has none yet, nobody trains."""
    try:
        study = optuna.create_study(study_name=new.name, storage=storage, direction=new.direction)
    except optuna.exceptions.DuplicatedStudyError:
        raise _exists(new.name, new.name) from None
    if new.metrics:
        storage.set_study_system_attr(study._study_id, METRIC_NAMES, list(new.metrics))
    for own in new.waiting:
        study.enqueue_trial(dict(own))
    for key in sorted(new.user, key=lambda key: key == DEFINITION):
        study.set_user_attr(key, new.user[key])


def _exists(name: str, other: str) -> StudyExistsError:
    rule = "a study of that name exists; choose another, or pass --skip-if-exists"
    if other != name:
        rule = f'this database takes it for the name of study "{other}", which exists; choose another'
    return StudyExistsError("study create", input_error("", rule, key="study.name", received=f'"{name}"').faults)


def _not_kept(name: str) -> InputError:
    rule = "this database cannot keep some of these characters; choose another name, or give the database UTF-8"
    return input_error("study create", rule, key="study.name", received=f'"{name}"')


def _cannot_encode(error: DataError | OperationalError) -> bool:
    said = str(error.orig).casefold()
    return any(
        words in said for words in ("incorrect string value", "encoding", "untranslatable", "character with byte")
    )
