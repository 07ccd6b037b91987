"""Say that trials are still being trained, for as long as their training moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType

from optuna.exceptions import OptunaError
from sqlalchemy.exc import SQLAlchemyError

from lrsearch.errors import LrsearchError
from lrsearch.storage.store import TrialStore

FIRST_EPOCH = 1800.0
"""Seconds that training may take until its first sign of life: nobody knows yet how long an epoch is."""
PATIENCE_FACTOR = 10.0
"""Training counts as hung when an epoch takes this many times longer than the longest before."""


class Heartbeat:
    """A thread that beats for all trials of this process with one statement.

    Beats are tied to progress: when no epoch has ended for far longer than epochs take, they stop, and another
    process runs the settings again.

    Args:
        store: Where the beats go.
        grace: Seconds without a beat after which others take the trials to be lost.
        can_hang: Whether to tie the beats to progress; not so where another program trains, which may say nothing for
            hours.
    """

    def __init__(self, store: TrialStore, grace: float, *, can_hang: bool = True) -> None:
        self._store = store
        self._can_hang = can_hang
        self._grace = grace
        self._trials: tuple[int, ...] = ()
        self._longest: float | None = None
        self._moved = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def watch(self, trial_ids: Sequence[int]) -> None:
        """Beat for these trials from now on, and for no others.

        Args:
            trial_ids: What this process trains.
        """
        self._trials = tuple(trial_ids)
        self._moved = time.monotonic()

    def epoch_done(self) -> None:
        """Training has moved."""
        moment = time.monotonic()
        self._longest = max(self._longest or 0.0, moment - self._moved)
        self._moved = moment

    def is_hung(self) -> bool:
        """Whether training has not moved for far longer than it should need."""
        if not self._can_hang:
            return False
        allowed = FIRST_EPOCH if self._longest is None else max(self._grace, PATIENCE_FACTOR * self._longest)
        return time.monotonic() - self._moved > allowed

    def _beat(self) -> None:
        while not self._ended.wait(self._grace / 4):
            trials = self._trials
            if trials and not self.is_hung():
                try:
                    self._store.beat(trials)
                except (SQLAlchemyError, OptunaError, LrsearchError):
                    # The training thread meets the same database and knows what to do; the next beat may pass.
                    continue
