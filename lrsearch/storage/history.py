"""What a sampler knows of a study's trials, read as far as they have changed."""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Sequence
from typing import Any

from optuna.trial import TrialState

from lrsearch.storage.attributes import excluded
from lrsearch.storage.past_trials import PastTrial, negated
from lrsearch.storage.reader import StudyReader


class History:
    """The trials of one study, kept from one look to the next: a finished trial is read once.

    Args:
        reader: Reads the study.
        maximise: Whether larger values are better.
    """

    def __init__(self, reader: StudyReader, *, maximise: bool = False) -> None:
        self._reader = reader
        self._maximise = maximise
        self._first_id = 0
        self._trials: dict[int, PastTrial] = {}
        self._told: list[PastTrial] = []
        self._pending: dict[int, PastTrial] = {}
        self._excluded: set[int] = set()

    def refresh(self) -> None:
        """Read what has changed since the last time."""
        self._excluded = set(excluded(self._reader.attributes()))
        found = self._reader.past_trials(self._first_id)
        for trial in found.values():
            if not self._is_done(trial.number):
                self._take(trial)
        # What is before the first unfinished one has ended, and stays as it is.
        unfinished = (trial_id for trial_id, trial in found.items() if not trial.state.is_finished())
        self._first_id = next(unfinished, max(found, default=self._first_id - 1) + 1)

    def settings(self, trial_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Trial id -> what is chosen or fixed of its settings, without a look at any other trial.

        Args:
            trial_ids: Which trials.
        """
        return self._reader.settings(trial_ids)

    def __getitem__(self, number: int) -> PastTrial:
        return self._trials[number]

    def told(self) -> list[PastTrial]:
        """Complete and pruned trials by number, without those that a person took out; smaller values are better."""
        return [trial for trial in self._told if trial.number not in self._excluded]

    def others(self, numbers: Collection[int]) -> list[PastTrial]:
        """All trials but some, in whatever state.

        Args:
            numbers: Those that are left out.
        """
        return [trial for number, trial in self._trials.items() if number not in numbers]

    def pending(self) -> list[PastTrial]:
        """Trials that are being trained or wait for it, whoever trains them, by number."""
        return [self._pending[number] for number in sorted(self._pending)]

    def _is_done(self, number: int) -> bool:
        return number in self._trials and self._trials[number].state.is_finished()

    def _take(self, trial: PastTrial) -> None:
        self._trials[trial.number] = trial
        if not trial.state.is_finished():
            self._pending[trial.number] = trial
            return
        self._pending.pop(trial.number, None)
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            insort(self._told, negated(trial) if self._maximise else trial, key=lambda other: other.number)
