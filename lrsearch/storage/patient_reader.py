"""Readers that wait for a database that has gone away, by the same rules as `PatientStore`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import optuna
from optuna.trial import FrozenTrial

from lrsearch.storage.counts import Tally
from lrsearch.storage.listing import Listed
from lrsearch.storage.past_trials import PastTrial
from lrsearch.storage.reader import StorageReader, StudyReader
from lrsearch.storage.retry import Patience
from lrsearch.storage.rung_trials import RungTrial

Result = TypeVar("Result")
REFUSAL = "cannot be read"


class PatientStorageReader:
    """A `StorageReader` that waits for its database.

    Args:
        reader: Does the reading.
        patience: Does the waiting.
    """

    def __init__(self, reader: StorageReader, patience: Patience) -> None:
        self._reader = reader
        self._patience = patience

    def listed(self) -> list[Listed]:
        """See `StorageReader.listed`."""
        return self._patience(self._reader.listed, REFUSAL)

    def study(self, name: str) -> optuna.Study:
        """See `StorageReader.study`."""
        return self._patience(lambda: self._reader.study(name), REFUSAL)

    def longest_curve(self) -> int | None:
        """See `StorageReader.longest_curve`."""
        return self._patience(self._reader.longest_curve, REFUSAL)


class PatientReader:
    """A `StudyReader` that waits for its database.

    Args:
        reader: Does the reading.
        patience: Does the waiting.
    """

    def __init__(self, reader: StudyReader, patience: Patience) -> None:
        self._reader = reader
        self._patience = patience

    def attributes(self) -> dict[str, Any]:
        """See `StudyReader.attributes`."""
        return self._patient(self._reader.attributes)

    def tally(self) -> Tally:
        """See `StudyReader.tally`."""
        return self._patient(self._reader.tally)

    def best_value(self, excluded: Collection[int], *, maximise: bool) -> float | None:
        """See `StudyReader.best_value`."""
        return self._patient(lambda: self._reader.best_value(excluded, maximise=maximise))

    def all_trials(self) -> list[FrozenTrial]:
        """See `StudyReader.all_trials`."""
        return self._patient(self._reader.all_trials)

    def past_trials(self, first_id: int) -> dict[int, PastTrial]:
        """See `StudyReader.past_trials`."""
        return self._patient(lambda: self._reader.past_trials(first_id))

    def settings(self, trial_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """See `StudyReader.settings`."""
        return self._patient(lambda: self._reader.settings(trial_ids))

    def rung_trials(self, rungs: Collection[int], first_id: int) -> dict[int, RungTrial]:
        """See `StudyReader.rung_trials`."""
        return self._patient(lambda: self._reader.rung_trials(rungs, first_id))

    def others_succeed(self, worker: Mapping[str, Any]) -> bool:
        """See `StudyReader.others_succeed`."""
        return self._patience(lambda: self._reader.others_succeed(worker), REFUSAL)

    def running(self) -> list[int]:
        """See `StudyReader.running`."""
        return self._patient(self._reader.running)

    def stale(self, grace: float) -> list[int]:
        """See `StudyReader.stale`."""
        return self._patient(lambda: self._reader.stale(grace))

    def _patient(self, operation: Callable[[], Result]) -> Result:
        return self._patience(operation, REFUSAL)
