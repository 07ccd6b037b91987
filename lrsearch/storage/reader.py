"""What is read of a storage and of a study, whichever way it is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import optuna
from optuna.trial import FrozenTrial

from lrsearch.storage.counts import Tally
from lrsearch.storage.listing import Listed
from lrsearch.storage.past_trials import PastTrial
from lrsearch.storage.rung_trials import RungTrial


class StorageReader(Protocol):
    """Reads which studies a storage has. Nothing is kept: every call asks the database."""

    def listed(self) -> list[Listed]:
        """All studies, oldest first, without the notes and plots that hang on them."""

    def study(self, name: str) -> optuna.Study:
        """Optuna's study of a name.

        Args:
            name: The study's name.

        Raises:
            KeyError: There is none.
        """

    def longest_curve(self) -> int | None:
        """How many numbers an attribute of a trial has room for; None where there is no limit to speak of."""


class StudyReader(Protocol):
    """Reads one study. Nothing is kept: every call asks the database."""

    def attributes(self) -> dict[str, Any]:
        """The study's user attributes.

        Raises:
            KeyError: The study was deleted.
        """

    def tally(self) -> Tally:
        """How many trials of each kind there are."""

    def best_value(self, excluded: Collection[int], *, maximise: bool) -> float | None:
        """The best value of a study that lrsearch created; `study.ranking` says what that is.

        Args:
            excluded: Numbers of the trials that a person took out.
            maximise: Whether larger values are better.

        Returns:
            The value; None if no trial may be the best.
        """

    def all_trials(self) -> list[FrozenTrial]:
        """All trials, by number, with their curves; they are not copies."""

    def past_trials(self, first_id: int) -> dict[int, PastTrial]:
        """Trial id -> trial as a sampler sees it, oldest first.

        Args:
            first_id: Trials with a smaller id are left out.
        """

    def settings(self, trial_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Trial id -> what is chosen or fixed of its settings, without a look at any other trial.

        Args:
            trial_ids: Which trials.
        """

    def rung_trials(self, rungs: Collection[int], first_id: int) -> dict[int, RungTrial]:
        """Trial id -> what it came to at the rungs, oldest first.

        Args:
            rungs: Epochs after which trials are compared.
            first_id: Trials with a smaller id are left out.
        """

    def others_succeed(self, worker: Mapping[str, Any]) -> bool:
        """Whether another process has trained a trial of the study to an end.

        Args:
            worker: This process (`liveness.Worker`).
        """

    def running(self) -> list[int]:
        """Numbers of the trials in state RUNNING, stale ones included."""

    def stale(self, grace: float) -> list[int]:
        """Numbers of the running trials whose process is gone.

        Args:
            grace: Seconds without a heartbeat after which a process on another machine is taken to be gone; without
                the tables only the processes of this machine can be looked at.
        """
