"""The end of a study's trials, where something may still change: what lies before it is finished and stays so.

But for failed trials that somebody lets be run again (`retrying`): the study says how often that was.

A claim must know what runs, what waits and how much of the budget is used. Counted over all trials that takes ever
longer, and it happens under the study's lock, where every other worker waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from optuna.trial import TrialState
from sqlalchemy import Connection, select

from lrsearch.storage import retrying, tables
from lrsearch.storage.attributes import RETRIED
from lrsearch.storage.tables import TRIALS, USER


@dataclass(frozen=True)
class TailTrial:
    """A trial that may still change, or has ended since the last look."""

    trial_id: int
    number: int
    state: Any


@dataclass(frozen=True)
class OpenTrials:
    """What a claim must know.

    Attributes:
        running: Ids of the trials that are being trained -> number, oldest first.
        waiting: Ids of those that wait -> number, oldest first.
        trials: Trials of the study in all.
        used: Of them, those that count: not the failed ones that were run again.
        last_id: Id of the last one; 0 if there is none.
    """

    running: dict[int, int]
    waiting: dict[int, int]
    trials: int
    used: int
    last_id: int


class OpenTrialsReader:
    """Reads which trials of a study are open, and remembers where they begin.

    Ids of a study's trials grow with their numbers, because both are given under the study's lock.

    Args:
        study_id: Optuna's id of the study.
    """

    def __init__(self, study_id: int) -> None:
        self._study_id = study_id
        self._first_id, self._before, self._retried_before = 0, 0, 0
        self._asked_for = 0

    @property
    def is_new(self) -> bool:
        """Whether the next look goes through all trials."""
        return self._first_id == 0

    def read(self, connection: Connection) -> OpenTrials:
        """The open trials as they are now.

        Args:
            connection: In a transaction; where something follows from the answer, with the study's lock.
        """
        if (asked_for := retrying.asked_for(connection, self._study_id)) != self._asked_for:
            # What had failed for good was run again: it counts no longer.
            self._first_id, self._before, self._retried_before = 0, 0, 0
            self._asked_for = asked_for
        rows = connection.execute(
            select(TRIALS.c.trial_id, TRIALS.c.number, TRIALS.c.state)
            .where(TRIALS.c.study_id == self._study_id, TRIALS.c.trial_id >= self._first_id)
            .order_by(TRIALS.c.trial_id)
        )
        trials = [TailTrial(int(trial_id), int(number), state) for trial_id, number, state in rows]
        failed = [trial.trial_id for trial in trials if trial.state == TrialState.FAIL]
        retried = set(tables.attributes(connection, USER, failed, RETRIED)) if failed else set()
        total = self._before + len(trials)
        found = OpenTrials(
            running={trial.trial_id: trial.number for trial in trials if trial.state == TrialState.RUNNING},
            waiting={trial.trial_id: trial.number for trial in trials if trial.state == TrialState.WAITING},
            trials=total,
            used=total - self._retried_before - len(retried),
            last_id=trials[-1].trial_id if trials else max(0, self._first_id - 1),
        )
        self._move_on(trials, retried)
        return found

    def _move_on(self, trials: list[TailTrial], retried: set[int]) -> None:
        """Begin next time at the first trial that is not finished."""
        for trial in trials:
            if not trial.state.is_finished():
                self._first_id = trial.trial_id
                return
            self._first_id = trial.trial_id + 1
            self._before += 1
            self._retried_before += trial.trial_id in retried
