"""`TrialStore` through Optuna's public API: slow, but right whatever Optuna's tables look like."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.errors import LrsearchError
from lrsearch.storage.attributes import ERROR, RETRIED, RETRIES_SO_FAR, RETRY_OF, WORKER
from lrsearch.storage.liveness import is_dead
from lrsearch.storage.store import RETRIES, Chosen, Claim, TrialEnd, settings_key, times, together
from lrsearch.storage.tables import CONSTRAINT_PREFIX, FIXED_PARAMS


class ApiStore:
    """`TrialStore` for an Optuna whose tables we do not know. Claims are atomic per trial, but not the budget.

    Args:
        study: The study.
        storage: Its storage.
    """

    def __init__(self, study: optuna.Study, storage: BaseStorage) -> None:
        self._study = study
        self._storage = storage

    def enqueue(self, params: Sequence[Mapping[str, Any]], there: int) -> bool:
        """See `TrialStore.enqueue`."""
        if len(self._trials()) != there:
            return False
        for own in params:
            self._study.enqueue_trial(dict(own))
        return True

    def claim(self, wanted: int, budget: int, worker: Mapping[str, Any]) -> list[Claim]:
        """See `TrialStore.claim`."""
        trials = self._trials()
        waiting = [trial for trial in trials if trial.state == TrialState.WAITING]
        losses = [times(trial.user_attrs.get(RETRIES_SO_FAR)) for trial in waiting]
        claims = [
            Claim(trial._trial_id, trial.number)
            for trial in waiting[: together(losses, wanted)]
            # Another process may have taken it in the meantime.
            if self._storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        ]
        used = sum(not (trial.state == TrialState.FAIL and RETRIED in trial.user_attrs) for trial in trials)
        for _ in range(0 if any(losses[:1]) else min(wanted - len(claims), budget - used)):
            trial_id = self._storage.create_new_trial(self._storage.get_study_id_from_name(self._study.study_name))
            claims.append(Claim(trial_id, self._storage.get_trial_number_from_id(trial_id)))
        for claim in claims:
            self._storage.set_trial_user_attr(claim.trial_id, WORKER, dict(worker))
        return claims

    def choose(self, chosen: Mapping[int, Chosen], once: Collection[int] = ()) -> set[int]:
        """See `TrialStore.choose`."""
        refused: set[int] = set()
        for trial_id, own in chosen.items():
            if trial_id in once and settings_key(own.params) in self._taken(trial_id):
                refused.add(trial_id)
                continue
            there = self._storage.get_trial(trial_id).params
            for name, value in own.params.items():
                if name not in there:
                    kind = own.distributions[name]
                    self._storage.set_trial_param(trial_id, name, kind.to_internal_repr(value), kind)
        return refused

    def _taken(self, but: int) -> set[Hashable]:
        return {settings_key(trial.params) for trial in self._trials() if trial._trial_id != but}

    def record(self, values: Mapping[int, Mapping[int, float]]) -> None:
        """See `TrialStore.record`."""
        for trial_id, curve in values.items():
            if self._storage.get_trial(trial_id).state == TrialState.RUNNING:
                for step, value in curve.items():
                    self._storage.set_trial_intermediate_value(trial_id, step, value)

    def finish(self, outcomes: Sequence[TrialEnd]) -> set[int]:
        """See `TrialStore.finish`."""
        ours = set()
        for outcome in outcomes:
            if self._storage.get_trial(outcome.trial_id).state != TrialState.RUNNING:
                continue
            for step, reported in outcome.reported.items():
                self._storage.set_trial_intermediate_value(outcome.trial_id, step, reported)
            for key, item in outcome.attributes.items():
                self._storage.set_trial_user_attr(outcome.trial_id, key, item)
            for key, number in outcome.constraints.items():
                self._storage.set_trial_system_attr(outcome.trial_id, CONSTRAINT_PREFIX + key, number)
            values = None if outcome.value is None else [outcome.value]
            self._storage.set_trial_state_values(outcome.trial_id, outcome.state, values)
            ours.add(outcome.trial_id)
        return ours

    def beat(self, trial_ids: Sequence[int]) -> None:
        """See `TrialStore.beat`. Without the tables only the processes of this machine can be looked at."""

    def hand_back(self, trial_ids: Sequence[int], reason: str) -> None:
        """See `TrialStore.hand_back`."""
        for trial in self._trials():
            if trial._trial_id in trial_ids and trial.state == TrialState.RUNNING:
                self._run_again(trial, reason, lost=False)

    def reap(self, grace: float) -> list[int]:
        """See `TrialStore.reap`; lost processes of other machines are not found."""
        lost = [t for t in self._trials() if t.state == TrialState.RUNNING and is_dead(t.user_attrs.get(WORKER))]
        for trial in lost:
            self._run_again(trial, "its worker was lost", lost=True)
        return [trial.number for trial in lost]

    def retry(self, numbers: Sequence[int], reason: str, *, at_fault: bool = False) -> list[int]:
        """See `TrialStore.retry`: Optuna lets nobody note at a failed trial that it is run again."""
        if at_fault:
            return []  # they stay failed
        raise LrsearchError("this storage cannot run failed trials again: its tables are not those that lrsearch knows")

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _run_again(self, trial: FrozenTrial, reason: str, *, lost: bool) -> None:
        losses = times(trial.user_attrs.get(RETRIES_SO_FAR)) + lost
        if losses > RETRIES:
            self.finish(
                [TrialEnd(trial._trial_id, TrialState.FAIL, None, {ERROR: f"{reason}, for the {losses}th time"})]
            )
            return
        settings = {**trial.system_attrs.get(FIXED_PARAMS, {}), **trial.params}
        # The retry comes first: whatever happens between the two, settings are not lost.
        self._study.add_trial(
            create_trial(
                state=TrialState.WAITING,
                user_attrs={RETRY_OF: trial.number, RETRIES_SO_FAR: losses},
                system_attrs={FIXED_PARAMS: settings} if settings else {},
            )
        )
        self.finish([TrialEnd(trial._trial_id, TrialState.FAIL, None, {RETRIED: reason})])
