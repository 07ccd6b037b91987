"""Extrapolation within each scheduler type: the best predicted ends go on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

from lrsearch.pruning.stratified import StratifiedPruner

WINDOW, POINTS = 0.3, 5
"""What a trial has come to is the median of so many values, evenly spaced over this last share of its epochs: one value
of one seed is luck for a good part."""


class StratifiedExtrapolation(StratifiedPruner):
    """At each rung the trials with the best predicted ends of their scheduler type go on; see `StratifiedPruner`.

    Small rates learn slowly and win late. So a trial is judged by where it is going: what it has gained since half of
    its epochs, it will gain once more.

        predicted end = now + (now - then),  now and then = medians of the values that end at the rung and at its half

    A trial that got worse is judged by where it is. The one that leads its type now goes on, too. One by one, trials
    are compared with those of all types as well; see `StratifiedPruner.across`.
    `tests/benchmarks/pruning_rules.py` compares this with other rules.

    Source of the bias: Wu et al., "Understanding Short-Horizon Bias in Stochastic Meta-Optimization" (2018).

    Args:
        rungs: Epochs after which trials are compared.
        keep: Share that goes on at each rung, at least one trial; one number for all, or one for each.
    """

    fills = across = True

    def __init__(self, rungs: Sequence[int], keep: float | Sequence[float]) -> None:
        shares = [keep] * len(rungs) if isinstance(keep, (int, float)) else list(keep)
        super().__init__(dict(zip(rungs, shares, strict=True)))

    def looks(self, rung: int) -> tuple[int, ...]:
        """See `StratifiedPruner.looks`."""
        return tuple(sorted({*last_epochs(rung), *last_epochs(rung // 2)}))

    def judged(self, rung: int, values: Mapping[int, float]) -> tuple[float, float]:
        """The predicted end; see `StratifiedPruner.judged`."""
        now, then = ([values[epoch] for epoch in last_epochs(end) if epoch in values] for end in (rung, rung // 2))
        come_to = median(now)
        return predicted(come_to, median(then) if then else math.inf), come_to


def predicted(now: float, then: float) -> float:
    """Where a trial ends.

    Args:
        now: What it has come to.
        then: What it had come to after half of its epochs; infinite if that is not known.
    """
    return now + min(now - then, 0.0) if math.isfinite(then) and math.isfinite(now) else now


def last_epochs(end: int) -> list[int]:
    """The epochs that tell what a trial has come to.

    Args:
        end: The last of them; before the first epoch there are none.
    """
    if end < 1:
        return []
    first = (1 - WINDOW) * end
    step = (end - first) / (POINTS - 1)
    return sorted({max(1, round(first + step * place)) for place in range(POINTS)})
