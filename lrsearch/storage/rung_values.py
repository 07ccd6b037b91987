"""What a study's trials had come to at its rungs, read as far as it has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lrsearch.storage.reader import StudyReader
from lrsearch.storage.rung_trials import RungTrial


class RungValues:
    """The trials of one study at its rungs; one that has ended is read once.

    Optuna's own way is to read every trial whole, with its curves: among many workers everybody reads what all the
    others have trained.

    Args:
        reader: Reads the study.
        rungs: Epochs after which trials are compared.
    """

    def __init__(self, reader: StudyReader, rungs: Iterable[int]) -> None:
        self._reader, self._rungs = reader, tuple(rungs)
        self._first_id = 0
        self._trials: dict[int, RungTrial] = {}

    def read(self) -> Mapping[int, RungTrial]:
        """Number -> trial, of all trials as they are now."""
        found = self._reader.rung_trials(self._rungs, self._first_id)
        self._trials.update({trial.number: trial for trial in found.values()})
        unfinished = (trial_id for trial_id, trial in found.items() if not trial.state.is_finished())
        self._first_id = next(unfinished, max(found, default=self._first_id - 1) + 1)
        return self._trials
