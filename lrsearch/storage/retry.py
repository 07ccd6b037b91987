"""Wait for a database that has gone away, instead of losing what was to be written or not getting what was asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from optuna.exceptions import OptunaError
from sqlalchemy.exc import SQLAlchemyError

from lrsearch import signals
from lrsearch.errors import DeletedStudyError, LrsearchError
from lrsearch.errors import StorageFailedError as StorageFailedError
from lrsearch.storage.reasons import OUTAGES, is_outage, may_pass, reason
from lrsearch.storage.store import Chosen, Claim, TrialEnd, TrialStore

Result = TypeVar("Result")
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two attempts: they grow from the first to the longest."""
LIMIT = 300.0
"""Seconds after which a database that does not come back is given up."""
_NOT_THERE = ("Record does not exist.", "No study with study_id")
"""How Optuna's storages say that a study is not there any more."""


class Patience:
    """Runs operations again while the database is away.

    An operation may have been committed although its answer was lost, so every one must be harmless when repeated.

    Args:
        say: Where a person is told, once per outage.
        limit: Seconds until it is given up.
    """

    def __init__(self, say: Callable[[str], None], limit: float = LIMIT) -> None:
        self._say = say
        self._limit = limit
        self.waits = 0

    def __call__(self, operation: Callable[[], Result], refusal: str = "refuses to be written") -> Result:
        """The operation's result, however often it takes.

        Args:
            operation: What to do.
            refusal: What the storage is said to do where waiting does not help.

        Raises:
            StorageFailedError: The database did not come back in time, or says that waiting does not help.
            InterruptedRunError: A signal came while it was waited for.
            DeletedStudyError: The study is not there any more.
        """
        began, pause = time.monotonic(), FIRST_PAUSE
        while True:
            try:
                result = operation()
            except OUTAGES as error:
                why = reason(error)
                if not may_pass(error):
                    raise StorageFailedError(f"the storage {refusal}: {why}") from error
                if time.monotonic() - began >= self._limit:
                    raise StorageFailedError(f"the storage is out of reach since {self._limit:g} s: {why}") from error
                if pause == FIRST_PAUSE:
                    self._say(f"The storage is out of reach ({why}); waiting up to {self._limit:g} s for it.")
                self.waits += 1
                signals.pause(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            except KeyError as error:
                if is_deletion(error):
                    raise DeletedStudyError from error
                raise
            else:
                if pause > LONGEST_PAUSE / 4:
                    self._say("The storage is back.")
                return result


class PatientStore:
    """A `TrialStore` that waits for its database.

    Args:
        store: Does the writing.
        patience: Does the waiting.
    """

    def __init__(self, store: TrialStore, patience: Patience) -> None:
        self._store = store
        self._patience = patience

    def enqueue(self, params: Sequence[Mapping[str, Any]], there: int) -> bool:
        """See `TrialStore.enqueue`."""
        return self._patience(lambda: self._store.enqueue(params, there))

    def claim(self, wanted: int, budget: int, worker: Mapping[str, Any]) -> list[Claim]:
        """See `TrialStore.claim`."""
        return self._patience(lambda: self._store.claim(wanted, budget, worker))

    def choose(self, chosen: Mapping[int, Chosen], once: Collection[int] = ()) -> set[int]:
        """See `TrialStore.choose`."""
        return self._patience(lambda: self._store.choose(chosen, once))

    def record(self, values: Mapping[int, Mapping[int, float]]) -> None:
        """See `TrialStore.record`."""
        self._patience(lambda: self._store.record(values))

    def finish(self, outcomes: Sequence[TrialEnd]) -> set[int]:
        """See `TrialStore.finish`."""
        return self._patience(lambda: self._store.finish(outcomes))

    def beat(self, trial_ids: Sequence[int]) -> None:
        """See `TrialStore.beat`; one that is missed is made up by the next."""
        self._store.beat(trial_ids)

    def hand_back(self, trial_ids: Sequence[int], reason: str) -> None:
        """See `TrialStore.hand_back`."""
        self._patience(lambda: self._store.hand_back(trial_ids, reason))

    def reap(self, grace: float) -> list[int]:
        """See `TrialStore.reap`."""
        return self._patience(lambda: self._store.reap(grace))

    def retry(self, numbers: Sequence[int], reason: str, *, at_fault: bool = False) -> list[int]:
        """See `TrialStore.retry`."""
        return self._patience(lambda: self._store.retry(numbers, reason, at_fault=at_fault))


def translated(error: Exception) -> LrsearchError | None:
    """What a person is told of an error that Optuna, SQLAlchemy or a driver raised; None for every other error.

    Args:
        error: Any.
    """
    if isinstance(error, KeyError):
        return DeletedStudyError() if is_deletion(error) else None
    if not isinstance(error, (SQLAlchemyError, OptunaError)):
        return None
    if (why := outage(error)) is not None:
        return StorageFailedError(f"the storage is out of reach: {why}")
    return StorageFailedError(f"the storage refuses this: {reason(error)}")


def is_deletion(error: KeyError) -> bool:
    """Whether Optuna says that a study is not there.

    Args:
        error: Any.
    """
    return any(words in str(error) for words in _NOT_THERE)


def outage(error: Exception) -> str | None:
    """What a database said that went away; None for every other error.

    Args:
        error: Any.
    """
    return reason(error) if is_outage(error) else None
