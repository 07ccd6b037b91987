"""Were small rates ended early that might have won? They learn slowly, and win late."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from lrsearch.sampling.space import rate_of
from lrsearch.storage.attributes import AUDIT_DIVERGED_AT, AUDIT_VALUE
from lrsearch.study.ranking import ranked

LEAST = 8
"""So many trials must have been trained to the end before a trend is seen in them."""
FEW = 3
"""Fewer pruned trials are not spoken of."""
CHANCE = 0.05
"""So rarely rates that do not matter show such a trend."""


@dataclass(frozen=True)
class SmallRates:
    """Small rates that were pruned where smaller ones did better.

    Attributes:
        pruned: How many trials with a smaller rate than the best one's were ended early.
        below: That rate.
    """

    pruned: int
    below: float


def small_rates(trials: Sequence[FrozenTrial], excluded: Collection[int], *, maximise: bool) -> SmallRates | None:
    """What may have been lost; None where there is nothing to say.

    It is said where of the trials that were trained to the end the smaller rates did better (Spearman's correlation,
    one-sided), and trials with rates below that of the best one were pruned. Those whose audit has shown that they
    would not have been better do not count.

    Args:
        trials: Of one study.
        excluded: Numbers of those that a person took out.
        maximise: Whether larger values are better.
    """
    there = ((trial, _rate(trial)) for trial in ranked(trials, excluded, maximise=maximise))
    finished = [(trial, rate) for trial, rate in there if rate is not None]
    if len(finished) < LEAST:
        return None
    rates, sign = [rate for _, rate in finished], -1 if maximise else 1
    values = [sign * float(trial.values[0]) for trial, _ in finished]
    below = rates[0]
    pruned = [
        trial
        for trial in trials
        if trial.state == TrialState.PRUNED
        and trial.number not in excluded
        and (rate := _rate(trial)) is not None
        and rate < below
        and not _is_worse(trial, values[0], sign)
    ]
    if len(pruned) < FEW or 1 in (len(set(rates)), len(set(values))):
        return None
    from scipy.stats import spearmanr  # half a second that a study without pruned small rates need not wait for

    if spearmanr(rates, values, alternative="greater").pvalue >= CHANCE:
        return None
    return SmallRates(len(pruned), below)


def _rate(trial: FrozenTrial) -> float | None:
    rate = rate_of(trial.params)
    return float(rate) if isinstance(rate, (int, float)) else None


def _is_worse(trial: FrozenTrial, best: float, sign: int) -> bool:
    """Whether an audit has shown that a trial would not have been better than the best, whose signed value is given."""
    end = trial.user_attrs.get(AUDIT_VALUE)
    known = isinstance(end, (int, float)) and sign * end >= best
    return known or AUDIT_DIVERGED_AT in trial.user_attrs
