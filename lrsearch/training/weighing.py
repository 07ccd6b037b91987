"""From the short runs of a second look to a rate, an upper end, and what both are worth. Nothing here knows torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from lrsearch.training.finding import Finding, shown

NO_USE = 1.5
"""The range ends at the first rate from which on every error is above this many times the least one."""
AGREE = 3.0
"""The steepest descent and the second look agree when their rates are within this many times each other."""
FLOOR = 1e-4
"""Errors below this share of the untrained network's are equal: nobody tells nothing from nearly nothing."""
SMALLEST = 1e-300
"""A gain that is smaller is none: quotients of such numbers overflow."""


@dataclass(frozen=True)
class Brief:
    """What one rate came to on one seed.

    Attributes:
        lr: The rate.
        seed: Of initial weights and data order.
        value: The task's metric on the test rows after the last update; None if the run diverged.
        untrained: The same before the first update.
    """

    lr: float
    seed: int
    value: float | None
    untrained: float


@dataclass(frozen=True)
class Weighed:
    """What a range test and a second look come to together.

    Attributes:
        finding: The range test's, with the rate and the upper end that the second look speaks for.
        confidence: ``high`` where the ramp's steepest descent and the second look agree on the rate, ``medium`` where
            only the second look speaks for it, ``low`` where it is the steepest descent alone; None without a rate.
        worth: The same in words, with how much rates within the range differ.
    """

    finding: Finding
    confidence: str | None
    worth: str


def weigh(finding: Finding, briefs: Sequence[Brief], *, maximise: bool) -> Weighed:
    """Combine both looks.

    Args:
        finding: What the ramp led to.
        briefs: The runs of the second look, rate after rate; none if there was no second look.
        maximise: Whether a larger value of the metric is better.
    """
    if finding.lr is None:
        return Weighed(finding, None, "there is no rate")
    if not briefs:
        return Weighed(finding, "low", "a starting point: no rate of the range was tried")
    rates, errors = errors_of(briefs, maximise=maximise)
    if not math.isfinite(errors.min()):
        return Weighed(finding, "low", "a starting point: no short run was better than the untrained network")
    chosen = float(rates[errors.argmin()])
    agree = max(chosen / finding.lr, finding.lr / chosen) <= AGREE
    worth = f"{_agreement(finding.lr, agree=agree)}; {_differences(errors)}"
    return Weighed(_moved(finding, rates, errors, chosen), "high" if agree else "medium", worth)


def errors_of(briefs: Sequence[Brief], *, maximise: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each rate is from a perfect network, on average over its seeds: ``|value - perfect|``, floored.

    Perfect is 0 for a metric that falls and is never below 0, and 1 for one that rises and is never above 1. For any
    other it lies as far beyond the best value as a tenth of what that one has gained.

    Args:
        briefs: Rate after rate; at least one.
        maximise: Whether a larger value of the metric is better.

    Returns:
        The rates, and their errors: infinite where a seed diverged, everywhere if no rate was better than no training.
    """
    # From here on less is better.
    sign = -1.0 if maximise else 1.0
    runs = {lr: list(own) for lr, own in groupby(briefs, key=lambda brief: brief.lr)}
    values = np.array([
        math.inf if any(own.value is None for own in each) else sign * sum(own.value or 0.0 for own in each) / len(each)
        for each in runs.values()
    ])  # fmt: skip
    untrained = sign * sum(own.untrained for own in briefs) / len(briefs)
    best = float(values.min())
    # A mean of equal numbers may differ from them; a gain below what a float resolves is none.
    if not best < untrained - max(1e-9 * abs(untrained), SMALLEST):
        return np.array(list(runs)), np.full(len(runs), math.inf)
    bound = -1.0 if maximise else 0.0
    perfect = bound if best >= bound else best - (untrained - best) / 10
    return np.array(list(runs)), values - perfect + FLOOR * (untrained - perfect)


def _moved(finding: Finding, rates: NDArray[np.float64], errors: NDArray[np.float64], chosen: float) -> Finding:
    why = f"the best of {len(rates)} rates of the range on short runs"
    moved = replace(finding, lr=chosen, why_lr=why)
    useful = int(np.flatnonzero(errors <= NO_USE * errors.min())[-1])
    if useful == len(rates) - 1:
        return moved
    end = float(rates[useful + 1])
    how = "diverge" if math.isinf(errors[useful + 1 :].min()) else f"are more than {NO_USE:g}x worse than the best"
    return replace(moved, high=end, why_high=f"from {shown(end)} on short runs {how}; {finding.why_high}")


def _agreement(steepest: float, *, agree: bool) -> str:
    where = f"the loss of the ramp falls fastest at {shown(steepest)}"
    return f"two rules agree: {where}" if agree else f"one rule only: {where}"


def _differences(errors: NDArray[np.float64]) -> str:
    kept = errors[np.isfinite(errors)]
    words = f"rates within the range differ by up to {_times(float(kept.max() / kept.min()))} here"
    lost = len(errors) - len(kept)
    return f"{words}, and {lost} of {len(errors)} diverge" if lost else words


def _times(ratio: float) -> str:
    return f"{ratio:.1f}x" if ratio < 10 else f"{float(f'{ratio:.1e}'):.0f}x"
