"""What to take if the last epoch is kept, and what if the best one is: from the curves that are stored anyway.

Those of confirmed runs say it. Where nothing is confirmed, those of the search do; their best is partly the luckiest.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from lrsearch.sampling.space import rate_of
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import MARGIN, Evidence
from lrsearch.study.ranking import is_diverged, may_be_best

FAR_APART = 4.0
"""By this factor initial rates differ much."""


@dataclass(frozen=True)
class Answer:
    """The best settings of one way to keep a run.

    Attributes:
        params: The settings, by Optuna's names.
        value: Mean of the test metric over the seeds, after the epoch that is kept.
        epochs: The epoch that is kept, median over the seeds; so many are needed.
    """

    params: dict[str, Any]
    value: float
    epochs: int

    @property
    def lr(self) -> float:
        return float(rate_of(self.params))


@dataclass(frozen=True)
class BothAnswers:
    """The answers to both questions, whichever was asked.

    Attributes:
        last: If the last epoch is kept.
        best: If the best one is. It was chosen by the rows that tell its value, which flatters it a little.
        confirmed: Whether both are means over fresh seeds, not what the search saw.
    """

    last: Answer
    best: Answer
    confirmed: bool = True

    @property
    def are_one(self) -> bool:
        """Whether both say the same settings and epochs."""
        return self.last.params == self.best.params and self.last.epochs == self.best.epochs

    @property
    def gain(self) -> float | None:
        """What the best epoch is better by, as a share of the last one's value; None where that is no share."""
        if self.last.value <= 0 or self.best.value <= 0:
            return None
        return abs(self.last.value - self.best.value) / self.last.value

    @property
    def disagree(self) -> bool:
        """Whether the rates are far apart, and the difference is one that matters."""
        ratio = self.last.lr / self.best.lr
        return max(ratio, 1 / ratio) >= FAR_APART and (self.gain is None or self.gain > MARGIN)


def both_answers(contenders: Sequence[Contender], *, maximise: bool) -> BothAnswers | None:
    """Both answers from the same runs.

    Args:
        contenders: Those that are complete; of them only those with the study's optimizer count.
        maximise: Whether larger values are better.

    Returns:
        The answers; None if a run has no curve, or the settings have no rate.
    """
    sign = -1 if maximise else 1
    contenders = [one for one in contenders if not one.has_other_optimizer]
    if not contenders or not all(one.curves and all(one.curves) for one in contenders):
        return None
    if any(rate_of(one.params) is None for one in contenders):
        return None
    ways = [[_answer(one, sign, best=best) for one in contenders] for best in (False, True)]
    last, best = (min(answers, key=lambda own: sign * own.value) for answers in ways)
    return BothAnswers(last, best)


def answers_of(
    evidence: Evidence | None, trials: Sequence[FrozenTrial], excluded: Collection[int], *, maximise: bool
) -> BothAnswers | None:
    """Both answers of a study: confirmed where they can be, or else what its search saw.

    Args:
        evidence: Of its confirmation, where that recommends; None for the search alone.
        trials: Of the search.
        excluded: Numbers of those that a person took out.
        maximise: Whether larger values are better.

    Returns:
        The answers; None where no curves are stored.
    """
    if evidence is not None:
        return both_answers(evidence.complete, maximise=maximise)
    ended, begun = [], []
    for trial in trials:
        whole = may_be_best(trial, excluded)
        pruned = trial.state == TrialState.PRUNED and trial.number not in excluded and not is_diverged(trial)
        if not (whole or pruned) or rate_of(trial.params) is None:
            continue
        curve = [trial.intermediate_values[epoch] for epoch in sorted(trial.intermediate_values)]
        if not any(map(math.isfinite, curve)):
            continue
        best = (max if maximise else min)(value for value in curve if not math.isnan(value))
        begun.append((best, curve.index(best) + 1, trial))  # whoever keeps the best may stop there, too
        if whole and math.isfinite(curve[-1]):
            ended.append((curve[-1], len(curve), trial))
    if not ended:
        return None
    sign = -1 if maximise else 1
    ways = (min(answers, key=lambda own: sign * own[0]) for answers in (ended, begun))
    last, best_one = (Answer(dict(trial.params), value, epochs) for value, epochs, trial in ways)
    return BothAnswers(last, best_one, confirmed=False)


def _answer(contender: Contender, sign: int, *, best: bool) -> Answer:
    places = [int(np.nanargmin(sign * np.array(curve))) if best else len(curve) - 1
              for curve in contender.curves]  # fmt: skip
    values = [curve[place] for curve, place in zip(contender.curves, places, strict=True)]
    return Answer(contender.params, float(np.mean(values)), sorted(places)[len(places) // 2] + 1)
