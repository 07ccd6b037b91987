"""`StorageReader` and `StudyReader` through Optuna's public API: slow, but right whatever Optuna's tables look like."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from lrsearch.storage import capacity
from lrsearch.storage.attributes import RETRIED, WORKER
from lrsearch.storage.counts import Tally
from lrsearch.storage.listing import Listed
from lrsearch.storage.liveness import is_dead, is_other
from lrsearch.storage.past_trials import PastTrial, merged, past
from lrsearch.storage.rung_trials import RungTrial, rung_trial
from lrsearch.storage.tables import FIXED_PARAMS


class ApiStorageReader:
    """`StorageReader` for any storage.

    Args:
        storage: The storage.
    """

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage

    def listed(self) -> list[Listed]:
        """See `StorageReader.listed`."""
        studies = sorted(self._storage.get_all_studies(), key=lambda study: study._study_id)
        return [Listed.of(study._study_id, study.study_name, study.user_attrs) for study in studies]

    def study(self, name: str) -> optuna.Study:
        """See `StorageReader.study`."""
        return optuna.load_study(study_name=name, storage=self._storage)

    def longest_curve(self) -> int | None:
        """See `StorageReader.longest_curve`."""
        return capacity.longest_curve(self._storage)


class ApiReader:
    """`StudyReader` for a study in any storage.

    Args:
        study: The study.
        storage: Its storage.
    """

    def __init__(self, study: optuna.Study, storage: BaseStorage) -> None:
        self._study = study
        self._storage = storage

    def attributes(self) -> dict[str, Any]:
        """See `StudyReader.attributes`."""
        return self._study.user_attrs

    def tally(self) -> Tally:
        """See `StudyReader.tally`."""
        trials = self.all_trials()
        states = [trial.state for trial in trials]
        retried = sum(trial.state == TrialState.FAIL and RETRIED in trial.user_attrs for trial in trials)
        return Tally(
            complete=states.count(TrialState.COMPLETE),
            pruned=states.count(TrialState.PRUNED),
            failed=states.count(TrialState.FAIL) - retried,
            retried=retried,
            running=states.count(TrialState.RUNNING),
            waiting=states.count(TrialState.WAITING),
            diverged=sum(trial.state == TrialState.COMPLETE and past(trial).violation > 0 for trial in trials),
        )

    def best_value(self, excluded: Collection[int], *, maximise: bool) -> float | None:
        """See `StudyReader.best_value`."""
        complete = [past(trial) for trial in self.all_trials() if trial.state == TrialState.COMPLETE]
        fit = [trial.value for trial in complete if trial.violation == 0 and trial.number not in excluded]
        finite = [value for value in fit if value is not None and math.isfinite(value)]
        return (max if maximise else min)(finite, default=None)

    def all_trials(self) -> list[FrozenTrial]:
        """See `StudyReader.all_trials`."""
        return sorted(self._study.get_trials(deepcopy=False), key=lambda trial: trial.number)

    def past_trials(self, first_id: int) -> dict[int, PastTrial]:
        """See `StudyReader.past_trials`."""
        return {trial._trial_id: past(trial) for trial in self._since(first_id)}

    def settings(self, trial_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """See `StudyReader.settings`."""
        trials = {trial_id: self._storage.get_trial(trial_id) for trial_id in trial_ids}
        return {i: merged(own.system_attrs.get(FIXED_PARAMS, {}), own.params) for i, own in trials.items()}

    def rung_trials(self, rungs: Collection[int], first_id: int) -> dict[int, RungTrial]:
        """See `StudyReader.rung_trials`."""
        return {trial._trial_id: rung_trial(trial, rungs) for trial in self._since(first_id)}

    def others_succeed(self, worker: Mapping[str, Any]) -> bool:
        """See `StudyReader.others_succeed`."""
        done = (trial for trial in self.all_trials() if trial.state in (TrialState.COMPLETE, TrialState.PRUNED))
        return any(is_other(trial.user_attrs.get(WORKER), worker) for trial in done)

    def running(self) -> list[int]:
        """See `StudyReader.running`."""
        return [trial.number for trial in self._going()]

    def stale(self, grace: float) -> list[int]:
        """See `StudyReader.stale`."""
        return [trial.number for trial in self._going() if is_dead(trial.user_attrs.get(WORKER))]

    def _since(self, first_id: int) -> list[FrozenTrial]:
        trials = sorted(self._study.get_trials(deepcopy=False), key=lambda trial: trial._trial_id)
        return [trial for trial in trials if trial._trial_id >= first_id]

    def _going(self) -> list[FrozenTrial]:
        return sorted(
            self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)), key=lambda trial: trial.number
        )
