"""Which trials may be the best, and in which order: one rule for commands, confirmation and report.

`storage.counts.best_value` says the same in SQL, where no trial is to be read.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from optuna.trial import FrozenTrial, TrialState


def may_be_best(trial: FrozenTrial, excluded: Collection[int]) -> bool:
    """Whether a trial counts where the best is looked for: complete, with a finite value, and nobody took it out.

    Args:
        trial: Any trial.
        excluded: Numbers of the trials that a person took out of its study.
    """
    return (
        trial.state == TrialState.COMPLETE
        and not is_diverged(trial)
        and trial.number not in excluded
        and bool(trial.values)
        and math.isfinite(trial.values[0])
    )


def ranked(trials: Iterable[FrozenTrial], excluded: Collection[int], *, maximise: bool) -> list[FrozenTrial]:
    """The trials that may be the best, best first; of equal ones the earlier goes first.

    Args:
        trials: Of one study.
        excluded: Numbers of those that a person took out.
        maximise: Whether larger values are better.
    """
    sign = -1 if maximise else 1
    return sorted(
        (trial for trial in trials if may_be_best(trial, excluded)),
        key=lambda trial: (sign * trial.values[0], trial.number),
    )


def is_diverged(trial: FrozenTrial) -> bool:
    """Whether a trial diverged, which is stored as a constraint that it breaks."""
    return any(value > 0 for value in trial.constraints.values())
