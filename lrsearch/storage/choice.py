"""Which way a storage is read and written: fast, or through Optuna's public API where its tables are not known."""

from __future__ import annotations

import logging
from collections.abc import Callable

import optuna
from optuna.storages import BaseStorage
from sqlalchemy import Engine

from lrsearch.storage import schema_check
from lrsearch.storage.api_reader import ApiReader, ApiStorageReader
from lrsearch.storage.api_store import ApiStore
from lrsearch.storage.counts import engine_of
from lrsearch.storage.patient_reader import PatientReader, PatientStorageReader
from lrsearch.storage.reader import StorageReader, StudyReader
from lrsearch.storage.retry import Patience, PatientStore
from lrsearch.storage.sql_reader import SqlReader, SqlStorageReader
from lrsearch.storage.sql_store import SqlStore
from lrsearch.storage.store import TrialStore

logger = logging.getLogger(__name__)


def fault() -> str | None:
    """Why Optuna's tables are left alone, in a line; None if they are those that we know."""
    return schema_check.tables_are_known()


def patient() -> Patience:
    """Waits for a database that has gone away, and logs that it does."""
    return Patience(logger.warning)


def impatient_storage_reader(storage: BaseStorage) -> StorageReader:
    """As `storage_reader`, for who asks how the storage does now: an outage raises at once.

    Args:
        storage: The storage.
    """
    engine = known_engine(storage)
    return ApiStorageReader(storage) if engine is None else SqlStorageReader(engine, storage)


def impatient_study_reader(study: optuna.Study, storage: BaseStorage) -> StudyReader:
    """As `study_reader`, for who asks how the storage does now: an outage raises at once.

    Args:
        study: The study.
        storage: Its storage.
    """
    engine = known_engine(storage)
    return ApiReader(study, storage) if engine is None else SqlReader(engine, study)


def storage_reader(storage: BaseStorage, patience: Patience | None = None) -> StorageReader:
    """What reads which studies a storage has.

    Args:
        storage: The storage.
        patience: Waits for a database that has gone away; by default `patient`.
    """
    return PatientStorageReader(impatient_storage_reader(storage), patience or patient())


def study_reader(study: optuna.Study, storage: BaseStorage, patience: Patience | None = None) -> StudyReader:
    """What reads a study.

    Args:
        study: The study.
        storage: Its storage.
        patience: Waits for a database that has gone away; by default `patient`.
    """
    return PatientReader(impatient_study_reader(study, storage), patience or patient())


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
    engine = known_engine(storage)
    store: TrialStore
    if engine is not None:
        store = SqlStore(engine, study._study_id)
    else:
        if say is not None:
            reason = "the storage is no database" if engine_of(storage) is None else fault()
            slow = "Trials are written through Optuna's public API, which is slow"
            say(f"{slow}: optuna {optuna.__version__}: {reason}.")
        store = ApiStore(study, storage)
    return store if patience is None else PatientStore(store, patience)


def known_engine(storage: BaseStorage) -> Engine | None:
    """The database behind a storage, if its tables are those that we know.

    Args:
        storage: Any.
    """
    engine = engine_of(storage)
    return engine if engine is not None and fault() is None else None
