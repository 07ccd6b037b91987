"""Tell a trial what it has come to, and end it by lrsearch's own rule: the piece that a plain loop needs."""

from __future__ import annotations

import math

import optuna
from optuna.trial import BaseTrial, Trial

from lrsearch.pruning.extrapolation import StratifiedExtrapolation
from lrsearch.pruning.pruners import Extrapolation, ExtrapolationOptions
from lrsearch.sampling.space import SEED


def shares(steps: int, every: int = 1) -> dict[int, float]:
    """Where trials are compared by default, and which share goes on: at 1/8 and 1/2 of a run, at the next evaluation.

    Args:
        steps: Steps of the whole run, such as epochs.
        every: Steps from one evaluation to the next.
    """
    usual = Extrapolation.shares(ExtrapolationOptions.model_validate({}), steps)
    found = {math.ceil(rung / every) * every: share for rung, share in usual.items()}
    return {rung: share for rung, share in found.items() if rung < steps}


def report(trial: BaseTrial, value: float, step: int, steps: int, *, every: int = 1, prune: bool = True) -> None:
    """Report an evaluation, and end the trial if it is heading for a worse end than others of its scheduler type.

    A run of a confirmation is never ended.

    Args:
        trial: The trial.
        value: What the study optimises.
        step: Steps done, from 1: epochs, say.
        steps: Steps of the whole run.
        every: Steps from one evaluation to the next.
        prune: Whether to end it; without, only the study's own pruner and you decide.

    Raises:
        TrialPruned: The trial ends here; let it pass through.

    Example:
        >>> from lrsearch.integrations.reporting import report
        >>> report(trial, test_loss, epoch, epochs)
    """
    trial.report(value, step)
    if prune and should_end(trial, steps, every):
        raise optuna.TrialPruned(f"heading for a worse end than others of its scheduler type after step {step}")


def should_end(trial: BaseTrial, steps: int, every: int = 1) -> bool:
    """Whether a trial ends at the step that it reported last; see `report`.

    Args:
        trial: The trial.
        steps: Steps of the whole run.
        every: Steps from one evaluation to the next.
    """
    if not isinstance(trial, Trial) or SEED in trial.params or len(trial.study.directions) != 1:
        return False
    kept = shares(steps, every)
    pruner = StratifiedExtrapolation(list(kept), list(kept.values()))
    return pruner.prune(trial.study, trial.study._storage.get_trial(trial._trial_id))
