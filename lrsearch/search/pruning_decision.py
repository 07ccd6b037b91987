"""Who is pruned at a rung."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import optuna
from optuna.pruners import BasePruner
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.pruning.halving import StratifiedHalving, halve
from lrsearch.sampling.space import Settings
from lrsearch.search.trial_curves import TrialTrace
from lrsearch.storage.counts import engine_of
from lrsearch.storage.retry import Patience
from lrsearch.storage.rung_values import RungValues
from lrsearch.storage.schema_check import tables_are_known
from lrsearch.storage.store import Claim
from lrsearch.study.stored import StoredStudy


class Judge:
    """Asks the study's pruner about trials that have reached a rung; their values are stored already.

    Args:
        stored: The study.
        pruner: Its pruner.
        together: Whether trials come by the generation. Then they are compared with each other, and with those that
            were stored when their generation began.
        patience: Waits for the storage.
    """

    def __init__(self, stored: StoredStudy, pruner: BasePruner, together: bool, patience: Patience) -> None:
        self._stored = stored
        self._pruner = pruner
        self._together = together
        self._patience = patience
        self._settings: Mapping[Claim, Settings] = {}
        self._mirror: Mirror | None = None
        self._rungs: RungValues | None = None
        engine = engine_of(stored.storage)
        if isinstance(pruner, StratifiedHalving) and engine is not None and tables_are_known() is None:
            study_id = stored.storage.get_study_id_from_name(stored.name)
            self._rungs = RungValues(engine, study_id, pruner.rungs)

    def begin(self, settings: Mapping[Claim, Settings]) -> None:
        """A new generation begins.

        Args:
            settings: Its trials, and what each trains with.
        """
        self._settings = settings
        self._mirror = None

    def __call__(self, trials: Mapping[Claim, TrialTrace]) -> set[Claim]:
        """Those that end here.

        Args:
            trials: The trials that have reached the rung, with their curves.
        """
        if not self._together:
            return {c for c, trace in trials.items() if self._patience(lambda c=c, trace=trace: self._ends(c, trace))}  # type: ignore[misc]
        pruned: set[Claim] = set()
        compared: set[Claim] = set()
        if isinstance(self._pruner, StratifiedHalving):
            last = {claim: (self._settings[claim].schedule.name, trace.test[-1]) for claim, trace in trials.items()}
            pruned, compared = halve(last, self._pruner.keep)
        alone = {claim: trace for claim, trace in trials.items() if claim not in compared}
        return pruned | self._against_the_stored(alone)

    def _ends(self, claim: Claim, trace: TrialTrace) -> bool:
        if isinstance(self._pruner, StratifiedHalving) and self._rungs is not None:
            return self._pruner.ends(_rank(trace.test[-1], claim.number), self._others(self._rungs, claim, trace.epoch))
        # Trial.should_prune would only know what was reported through its own object.
        return self._pruner.prune(self._stored.study, self._stored.storage.get_trial(claim.trial_id))

    def _others(self, rungs: RungValues, claim: Claim, rung: int) -> list[tuple[float, int]]:
        """Value at the rung and number of the trials that a trial is compared with."""
        scheduler, excluded = self._settings[claim].schedule.name, self._stored.excluded()
        return [
            _rank(trial.values[rung], number)
            for number, trial in rungs.read().items()
            if number != claim.number
            and trial.scheduler == scheduler
            and rung in trial.values
            and trial.state != TrialState.FAIL
            and number not in excluded
        ]

    def _against_the_stored(self, trials: Mapping[Claim, TrialTrace]) -> set[Claim]:
        if not trials:
            return set()
        if self._mirror is None:
            there = self._patience(self._stored.trials)
            self._mirror = Mirror(self._stored.study, there, {claim.number for claim in self._settings})
        return {claim for claim, trace in trials.items() if self._mirror.ends(self._pruner, claim.number, trace.test)}


class Mirror:
    """A study in memory: a pruner reads all trials at every question, which a database takes long to answer.

    Args:
        study: The study.
        trials: All its trials, by number.
        under_way: Numbers of those that are trained here; they begin without values.
    """

    def __init__(self, study: optuna.Study, trials: Collection[FrozenTrial], under_way: Collection[int]) -> None:
        self._storage: BaseStorage = InMemoryStorage()
        self._study = optuna.create_study(storage=self._storage, study_name=study.study_name, direction=study.direction)
        for key, value in study.user_attrs.items():
            self._study.set_user_attr(key, value)
        study_id = self._storage.get_study_id_from_name(study.study_name)
        self._ids = [
            self._storage.create_new_trial(study_id, _begun(trial) if trial.number in under_way else trial)
            for trial in trials
        ]

    def ends(self, pruner: BasePruner, number: int, curve: list[float]) -> bool:
        """Whether a trial is pruned.

        Args:
            pruner: Decides.
            number: The trial's number.
            curve: Its intermediate values from epoch 1.
        """
        trial_id = self._ids[number]
        known = len(self._storage.get_trial(trial_id).intermediate_values)
        for epoch in range(known + 1, len(curve) + 1):
            self._storage.set_trial_intermediate_value(trial_id, epoch, curve[epoch - 1])
        return pruner.prune(self._study, self._storage.get_trial(trial_id))


def _rank(value: float, number: int) -> tuple[float, int]:
    return (math.inf if math.isnan(value) else value, number)


def _begun(trial: FrozenTrial) -> FrozenTrial:
    return create_trial(
        state=TrialState.RUNNING,
        params=trial.params,
        distributions=trial.distributions,
        system_attrs=trial.system_attrs,
    )
