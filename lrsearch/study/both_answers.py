"""What to take if the last epoch is kept, and what if the best one is: from the curves of confirmed runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrsearch.sampling.space import rate_of
from lrsearch.study.contender import Contender

FAR_APART = 4.0
"""By this factor initial rates differ much."""


@dataclass(frozen=True)
class Answer:
    """The best settings of one way to keep a run.

    Attributes:
        params: The settings, by Optuna's names.
        value: Mean of the test metric over the fresh seeds, after the epoch that is kept.
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
    """

    last: Answer
    best: Answer

    @property
    def disagree(self) -> bool:
        """Whether the rates are far apart."""
        ratio = self.last.lr / self.best.lr
        return max(ratio, 1 / ratio) >= FAR_APART


def both_answers(contenders: Sequence[Contender], *, maximise: bool) -> BothAnswers | None:
    """Both answers from the same runs.

    Args:
        contenders: Those that are complete.
        maximise: Whether larger values are better.

    Returns:
        The answers; None if a run has no curve, or the settings have no rate.
    """
    sign = -1 if maximise else 1
    if not contenders or not all(one.curves and all(one.curves) and "lr" in one.params for one in contenders):
        return None
    ways = [[_answer(one, sign, best=best) for one in contenders] for best in (False, True)]
    last, best = (min(answers, key=lambda own: sign * own.value) for answers in ways)
    return BothAnswers(last, best)


def _answer(contender: Contender, sign: int, *, best: bool) -> Answer:
    places = [int(np.nanargmin(sign * np.array(curve))) if best else len(curve) - 1
              for curve in contender.curves]  # fmt: skip
    values = [curve[place] for curve, place in zip(contender.curves, places, strict=True)]
    return Answer(contender.params, float(np.mean(values)), sorted(places)[len(places) // 2] + 1)
