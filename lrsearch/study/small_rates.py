"""Were small rates ended early that might have won? They learn slowly, and win late."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
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
    if chance_of_trend(rates, values) >= CHANCE:
        return None
    return SmallRates(len(pruned), below)


def chance_of_trend(rates: Sequence[float], values: Sequence[float]) -> float:
    """How often values that do not depend on rates would rise with them as much: Spearman's correlation, one-sided.

    ``t = r sqrt((n - 2) / (1 - r^2))`` has Student's distribution with n - 2 degrees of freedom. The same as
    ``scipy.stats.spearmanr(rates, values, alternative="greater").pvalue``, whose import alone takes most of a second.

    Args:
        rates: At least three, not all equal.
        values: One for each, not all equal.
    """
    from scipy.special import stdtr  # a quarter of a second that a study without pruned small rates need not wait for

    correlation = float(np.corrcoef(_ranks(rates), _ranks(values))[0, 1])
    freedom = len(rates) - 2
    rest = max((1 + correlation) * (1 - correlation), 1e-12)
    return float(stdtr(freedom, -correlation * math.sqrt(freedom / rest)))


def _ranks(numbers: Sequence[float]) -> NDArray[np.float64]:
    """The place of each in their order; equal ones share the mean of theirs."""
    _, group, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[group]
    return ranks


def _rate(trial: FrozenTrial) -> float | None:
    rate = rate_of(trial.params)
    return float(rate) if isinstance(rate, (int, float)) else None


def _is_worse(trial: FrozenTrial, best: float, sign: int) -> bool:
    """Whether an audit has shown that a trial would not have been better than the best, whose signed value is given."""
    end = trial.user_attrs.get(AUDIT_VALUE)
    known = isinstance(end, (int, float)) and sign * end >= best
    return known or AUDIT_DIVERGED_AT in trial.user_attrs
