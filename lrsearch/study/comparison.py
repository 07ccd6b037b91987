"""What a comparison of two settings says, and what would decide it where it says nothing yet. No words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from lrsearch.study.contender import Contender
from lrsearch.study.crossed import Interval

CERTAIN = 1.96
"""Standard errors to either side of a mean that hold it in 95 of 100 cases, where the error is known exactly."""


class Verdict(StrEnum):
    """What a comparison with the recommended settings says so far."""

    BETTER = "better"
    """The recommended ones are shown to be better."""
    WORSE = "worse"
    """They are shown to be worse."""
    EQUAL = "equal"
    """The difference is shown to be too small to matter."""
    ROWS = "rows"
    """Neither, and only more rows would decide it, not more seeds."""
    OPEN = "open"
    """Neither, and more seeds may decide it."""


@dataclass(frozen=True)
class Comparison:
    """The recommended settings beside others.

    Attributes:
        other: The others.
        difference: How much worse the others are; the confidence is that of all looks together.
        verdict: What that says.
        needed: Rows, or else seeds, that would decide it, about; None where it is decided.
    """

    other: Contender
    difference: Interval
    verdict: Verdict
    needed: int | None


def decide(
    other: Contender, difference: Interval, margin: float, rows_error: float, sizes: tuple[float, int]
) -> Comparison:
    """What a difference says.

    Args:
        other: Who is compared with the recommended settings.
        difference: How much worse that is.
        margin: A difference that does not matter.
        rows_error: The part of the difference's standard error that any number of further seeds would leave.
        sizes: Numbers of seeds and of rows.
    """
    seeds, rows = sizes
    if difference.excludes_zero:
        return Comparison(other, difference, Verdict.BETTER if difference.low > 0 else Verdict.WORSE, None)
    if max(-difference.low, difference.high) <= margin:
        return Comparison(other, difference, Verdict.EQUAL, None)
    # Half of the interval has to become smaller than this, to tell them apart or to call them equal.
    target = max(abs(difference.mean), margin)
    if (left := CERTAIN * rows_error) > target:
        return Comparison(other, difference, Verdict.ROWS, _enough(rows, left, target))
    return Comparison(other, difference, Verdict.OPEN, _enough(seeds, (difference.high - difference.low) / 2, target))


def _enough(number: float, half: float, target: float) -> int | None:
    """How many rows or seeds make half of an interval as small as that, to two digits and rounded up.

    Args:
        number: How many there are.
        half: Half of the interval.
        target: How small it has to be; None comes back where nothing would do.
    """
    if target <= 0:
        return None
    exact: float = number * (half / target) ** 2
    if not math.isfinite(exact):
        return None
    unit = 10 ** max(math.floor(math.log10(max(exact, 1.0))) - 1, 0)
    return max(int(math.ceil(exact / unit) * unit), math.floor(number) + 1)
