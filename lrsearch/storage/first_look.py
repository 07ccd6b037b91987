"""The first look at a large study through Optuna's cache: all trials at once, instead of object by object."""

from __future__ import annotations

from functools import partial
from typing import Any

from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy import Engine

from lrsearch.storage.all_trials import all_trials
from lrsearch.storage.choice import known_engine


def quicken(storage: BaseStorage) -> None:
    """Let a storage read whole studies as `all_trials` does, where Optuna's tables are those that we know.

    Later looks, at what has changed since, stay Optuna's own.

    Args:
        storage: From `open_storage`.
    """
    engine = known_engine(storage)
    database = getattr(storage, "_backend", None)
    if engine is not None and isinstance(database, RDBStorage):
        database._get_trials = partial(_trials, engine, database._get_trials)  # type: ignore[method-assign]


def _trials(
    engine: Engine, otherwise: Any, study_id: int, states: Any, included_trial_ids: set[int], trial_id_greater_than: int
) -> list[FrozenTrial]:
    """See `RDBStorage._get_trials`: all trials of a study, or some of them."""
    if states is None and trial_id_greater_than < 0:
        found = all_trials(engine, study_id)
        if found:  # none: Optuna says whether there is such a study
            return found
    wanted: list[FrozenTrial] = otherwise(study_id, states, included_trial_ids, trial_id_greater_than)
    return wanted
