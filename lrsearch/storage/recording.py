"""Write what happens to a trial, through Optuna's public API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.trial import Trial, TrialState


class Recorder:
    """Writes trials of one study. What is written stays written, whatever fails next.

    Args:
        study: The study.
    """

    def __init__(self, study: optuna.Study) -> None:
        self._study = study

    def record(self, trial: Trial, values: Mapping[int, float]) -> None:
        """Store intermediate values; a step that was stored before gets its new value.

        Args:
            trial: A running trial.
            values: Step -> value.
        """
        for step, value in values.items():
            trial.storage.set_trial_intermediate_value(trial._trial_id, step, value)

    def should_prune(self, trial: Trial) -> bool:
        """What the study's pruner says of a running trial, as it is stored.

        Args:
            trial: A running trial.
        """
        # Trial.should_prune would only know what was reported through this very object.
        return self._study.pruner.prune(self._study, trial.storage.get_trial(trial._trial_id))

    def finish(
        self,
        trial: Trial,
        state: TrialState,
        value: float | None,
        attributes: Mapping[str, Any],
        constraints: Mapping[str, float],
    ) -> None:
        """End a trial.

        Args:
            trial: A running trial.
            state: COMPLETE, PRUNED or FAIL.
            value: Its value, if it is complete.
            attributes: User attributes to store with it.
            constraints: Optuna constraints; a positive one marks the trial as infeasible.
        """
        for key, item in attributes.items():
            trial.set_user_attr(key, item)
        for key, number in constraints.items():
            trial.set_constraint(key, number)
        self._study.tell(trial, value, state)

    def hand_back(self, trial: Trial) -> None:
        """Let a running trial wait again, with the settings it has; whoever takes it trains it from the start.

        Args:
            trial: A running trial.
        """
        trial.storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)
