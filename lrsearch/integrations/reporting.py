"""Tell a trial what it has come to, and end it by lrsearch's own rule: the piece that a plain loop needs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import optuna
from optuna.trial import BaseTrial, Trial

from lrsearch.pruning.halving import StratifiedHalving
from lrsearch.pruning.pruners import Halving, HalvingOptions
from lrsearch.sampling.space import SEED


def rungs(steps: int, every: int = 1) -> Sequence[int]:
    """Where trials are compared by default: at 8.3, 25 and 50 % of a run, at the next evaluation.

    Args:
        steps: Steps of the whole run, such as epochs.
        every: Steps from one evaluation to the next.
    """
    found = {math.ceil(rung / every) * every for rung in Halving.rungs(HalvingOptions(), steps)}
    return sorted(rung for rung in found if rung < steps)


def report(trial: BaseTrial, value: float, step: int, steps: int, *, every: int = 1, prune: bool = True) -> None:
    """Report an evaluation, and end the trial if it is not among the best third of its scheduler type.

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
        raise optuna.TrialPruned(f"not among the best of its scheduler type after step {step}")


def should_end(trial: BaseTrial, steps: int, every: int = 1) -> bool:
    """Whether a trial ends at the step that it reported last; see `report`.

    Args:
        trial: The trial.
        steps: Steps of the whole run.
        every: Steps from one evaluation to the next.
    """
    if not isinstance(trial, Trial) or SEED in trial.params or len(trial.study.directions) != 1:
        return False
    pruner = StratifiedHalving(rungs(steps, every), HalvingOptions().keep)
    return pruner.prune(trial.study, trial.study._storage.get_trial(trial._trial_id))
