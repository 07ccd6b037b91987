"""`StorageReader` and `StudyReader` in plain SQL: the database counts and chooses, and no trial is read for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial
from sqlalchemy import Engine

from lrsearch.storage import all_trials, capacity, counts, listing, past_trials, rung_trials
from lrsearch.storage.counts import Tally
from lrsearch.storage.listing import Listed
from lrsearch.storage.liveness import is_other
from lrsearch.storage.past_trials import PastTrial
from lrsearch.storage.rung_trials import RungTrial
from lrsearch.storage.silence import Silences


class SqlStorageReader:
    """`StorageReader` for a database whose tables we know.

    Args:
        engine: Of Optuna's RDB storage.
        storage: That storage.
    """

    def __init__(self, engine: Engine, storage: BaseStorage) -> None:
        self._engine = engine
        self._storage = storage

    def listed(self) -> list[Listed]:
        """See `StorageReader.listed`."""
        return listing.listed(self._engine)

    def study(self, name: str) -> optuna.Study:
        """See `StorageReader.study`."""
        return optuna.load_study(study_name=name, storage=self._storage)

    def longest_curve(self) -> int | None:
        """See `StorageReader.longest_curve`."""
        return capacity.longest_curve(self._storage)


class SqlReader:
    """`StudyReader` for a study whose tables we know.

    Args:
        engine: Of Optuna's RDB storage.
        study: The study.
    """

    def __init__(self, engine: Engine, study: optuna.Study) -> None:
        self._engine = engine
        self._study = study
        self._study_id = study._study_id
        self._silences = Silences()

    def attributes(self) -> dict[str, Any]:
        """See `StudyReader.attributes`."""
        return listing.attributes(self._engine, self._study_id)

    def tally(self) -> Tally:
        """See `StudyReader.tally`."""
        return counts.tally(self._engine, self._study_id)

    def best_value(self, excluded: Collection[int], *, maximise: bool) -> float | None:
        """See `StudyReader.best_value`."""
        return counts.best_value(self._engine, self._study_id, excluded, maximise=maximise)

    def all_trials(self) -> list[FrozenTrial]:
        """See `StudyReader.all_trials`."""
        return all_trials.all_trials(self._engine, self._study_id)

    def past_trials(self, first_id: int) -> dict[int, PastTrial]:
        """See `StudyReader.past_trials`."""
        return past_trials.past_trials(self._engine, self._study_id, first_id)

    def settings(self, trial_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """See `StudyReader.settings`."""
        return past_trials.settings(self._engine, trial_ids)

    def rung_trials(self, rungs: Collection[int], first_id: int) -> dict[int, RungTrial]:
        """See `StudyReader.rung_trials`."""
        return rung_trials.rung_trials(self._engine, self._study_id, rungs, first_id)

    def others_succeed(self, worker: Mapping[str, Any]) -> bool:
        """See `StudyReader.others_succeed`."""
        with self._engine.connect() as connection:
            return any(is_other(own, worker) for own in counts.successful(connection, self._study_id))

    def running(self) -> list[int]:
        """See `StudyReader.running`."""
        with self._engine.connect() as connection:
            return sorted(counts.running(connection, self._study_id).values())

    def stale(self, grace: float) -> list[int]:
        """See `StudyReader.stale`."""
        with self._engine.connect() as connection:
            return sorted(counts.stale(connection, self._study_id, grace, self._silences).values())
