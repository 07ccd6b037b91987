"""Which way trials are written: fast, or through Optuna's public API where its tables are not known."""

from __future__ import annotations

from collections.abc import Callable

import optuna
from optuna.storages import BaseStorage

from lrsearch.storage import schema_check
from lrsearch.storage.api_store import ApiStore
from lrsearch.storage.counts import engine_of
from lrsearch.storage.retry import Patience, PatientStore
from lrsearch.storage.sql_store import SqlStore
from lrsearch.storage.store import TrialStore


def trial_store(
    study: optuna.Study,
    storage: BaseStorage,
    say: Callable[[str], None] | None = None,
    patience: Patience | None = None,
) -> TrialStore:
    """What writes a study's trials.

    Args:
        study: The study.
        storage: Its storage.
        say: Where a person is told that writing will be slow; nowhere by default.
        patience: Waits for a database that has gone away; none by default.
    """
    engine = engine_of(storage)
    fault = "the storage is no database" if engine is None else schema_check.tables_are_known()
    store: TrialStore
    if fault is None and engine is not None:
        store = SqlStore(engine, storage.get_study_id_from_name(study.study_name))
    else:
        if say is not None:
            say(f"Trials are written through Optuna's public API, which is slow: optuna {optuna.__version__}: {fault}.")
        store = ApiStore(study, storage)
    return store if patience is None else PatientStore(store, patience)
