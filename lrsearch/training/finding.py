"""From one curve of loss against learning rate to a range, a rate, and the reasons in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

EDGE = 0.1
"""The loss has begun to fall, or to rise, when it has gone this share of its whole fall."""
BELOW = 3.0
"""The range begins this many times below the rate at which the loss begins to fall."""
NOISES = 5.0
"""A fall of fewer standard errors is none: it is the lowest of hundreds of noisy values."""
SMALLEST_FALL = 0.02
"""Nor is one below this share of the loss at the start."""


@dataclass(frozen=True)
class Finding:
    """What a range test suggests. What it did not see is None, and the reason says what to do about it.

    Attributes:
        low: Lower end of a range worth searching, with two significant digits like the others.
        high: Upper end.
        lr: One rate, for who wants no search.
        why_low: The reason in words.
        why_high: As above.
        why_lr: As above.
        diverged: How many seeds diverged, and where.
    """

    low: float | None
    high: float | None
    lr: float | None
    why_low: str
    why_high: str
    why_lr: str
    diverged: str

    @property
    def range(self) -> tuple[float, float] | None:
        """Both ends; None unless the ramp showed both."""
        return None if self.low is None or self.high is None else (self.low, self.high)


def judge(
    *,
    rates: Numbers,
    centre: Numbers,
    slope: Numbers,
    start: float,
    noise: float,
    reach: int,
    diverged_at: Sequence[float | None],
) -> Finding:
    """Look for the fall, its steepest place and the rise.

    Args:
        rates: Of the ramp, [updates].
        centre: Loss after the update at each rate, [updates]; NaN from where the median seed has diverged.
        slope: Of the finite part of `centre`, per decade of the rate.
        start: Loss before anything was learned.
        noise: Standard error of `centre`.
        reach: Updates at either end of the ramp from which nothing is concluded.
        diverged_at: For each seed the rate at which it diverged, or None.
    """
    words = _diverged(diverged_at)
    seen = int(np.count_nonzero(~np.isnan(centre)))
    least = max(NOISES * noise, SMALLEST_FALL * abs(start))
    # The first points average over few losses: their lowest is the luckiest.
    bottom = reach + int(np.argmin(centre[reach:seen])) if seen > reach else 0
    fall = start - float(centre[bottom]) if bottom else 0.0
    if not bottom or math.isnan(start) or fall < least:
        return _nothing(rates, centre, start, fall, least, words)
    high_at = _first(centre > centre[bottom] + EDGE * fall, after=bottom)
    low_at = _last(centre[:bottom] > start - EDGE * fall) + 1
    high, why_high = _high(rates, seen, high_at)
    low, why_low = _low(rates, low_at, reach)
    at = low_at + int(np.argmin(slope[low_at : bottom + 1]))
    lr, why_lr = _steepest(rates, at, reach, fell=low is not None, rose=high is not None)
    return Finding(low, high, lr, why_low, why_high, why_lr, words)


def shown(rate: float) -> str:
    """A rate for people, with two significant digits."""
    return f"{rounded(rate):g}"


def rounded(rate: float) -> float:
    """A rate with two significant digits: the test knows no more."""
    return float(f"{rate:.1e}")


def _low(rates: Numbers, at: int, reach: int) -> tuple[float | None, str]:
    # One reach for the start that is measured, one for the average that lags, one to be sure.
    if at <= 3 * reach:
        first = shown(rates[0])
        return None, f"the loss falls from the very start of the ramp at {first}: begin lower (--low)"
    why = f"the loss begins to fall at {shown(rates[at])}; a search trains longer than this test, which lets lower"
    return rounded(rates[at] / BELOW), f"{why} rates work too, hence a third of it"


def _high(rates: Numbers, seen: int, rise: int | None) -> tuple[float | None, str]:
    if rise is not None:
        return rounded(rates[rise]), f"the loss begins to rise at {shown(rates[rise])}"
    if seen < len(rates):
        return rounded(rates[seen]), f"at {shown(rates[seen])} half of the seeds have diverged"
    return None, f"the loss has not risen when the ramp ends at {shown(rates[-1])}: go on higher (--high)"


def _steepest(rates: Numbers, at: int, reach: int, *, fell: bool, rose: bool) -> tuple[float | None, str]:
    if not fell and at <= 2 * reach:
        return None, "the loss falls fastest at the start of the ramp, perhaps before it: begin lower (--low)"
    if not rose and at >= len(rates) - 1 - 2 * reach:
        return None, "the loss falls fastest at the end of the ramp, perhaps beyond it: go on higher (--high)"
    return rounded(rates[at]), "the loss falls fastest there (steepest descent against the logarithm of the rate)"


def _nothing(rates: Numbers, centre: Numbers, start: float, fall: float, least: float, words: str) -> Finding:
    """Nothing was learned anywhere on the ramp: no range, no rate, and where to look instead."""
    lost = _first(np.isnan(centre) | (centre > start + least), after=-1)
    where = f"between {shown(rates[0])} and {shown(rates[-1])}"
    if lost is None:
        low = f"the loss does not change {where} by more than chance ({max(fall, 0.0):.3g} of {start:.4g})"
        high = "go on higher (--high), or look whether the task can be learned at all"
    else:
        low = "begin lower (--low), or look whether the task can be learned at all"
        high = f"the loss never falls; it rises from {shown(rates[lost])} on"
    return Finding(None, None, None, low, high, "there is no descent to take it from", words)


def _diverged(diverged_at: Sequence[float | None]) -> str:
    places = sorted(rate for rate in diverged_at if rate is not None)
    head = f"{len(places)} of {len(diverged_at)} seeds diverged"
    if not places:
        return f"none of {len(diverged_at)} seeds diverged"
    first, last = shown(places[0]), shown(places[-1])
    return f"{head}, at {first}" if first == last else f"{head}, at {first} to {last}"


def _first(mask: NDArray[np.bool_], after: int) -> int | None:
    places = np.flatnonzero(mask[after + 1 :])
    return int(places[0]) + after + 1 if len(places) else None


def _last(mask: NDArray[np.bool_]) -> int:
    """The last place that holds; -1 if none does."""
    places = np.flatnonzero(mask)
    return int(places[-1]) if len(places) else -1
