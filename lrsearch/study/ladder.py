"""Constant rates that a schedule is compared with: a ladder in factors of two. Numbers in, numbers out.

A schedule that was searched for with care is compared with a constant rate that was found with care, or with none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lrsearch.study_file.axes import short

FACTOR = 2.0
"""From one rate of the ladder to the next."""
BESIDE_BEST = 2
"""Rates on either side of the best constant rate that the search found."""
BESIDE_SCHEDULE = 1
"""Rates on either side of those that a schedule has."""
EXTENSIONS = 4
"""Rates at most that are added on one side, as long as the last one is the best."""
AT_ONCE = 2
"""Rates that are added in one go: a further round costs more than a further rate."""


def rates(best: float | None, of_schedule: Sequence[float]) -> list[float]:
    """The ladder to begin with, lowest rate first.

    Args:
        best: The best constant rate of the search; it is on the ladder. None if the search had none.
        of_schedule: Rates of the schedule that it is compared with, such as its initial and its mean rate.
    """
    if best is None and not of_schedule:
        return []
    centre = of_schedule[0] if best is None else best
    places = set(range(-BESIDE_BEST, BESIDE_BEST + 1))
    for rate in of_schedule:
        near = round(math.log(rate / centre, FACTOR))
        places |= set(range(near - BESIDE_SCHEDULE, near + BESIDE_SCHEDULE + 1))
    return [short(centre * FACTOR**place) for place in sorted(places)]


def extension(tried: Sequence[float], values: Sequence[float], first: tuple[float, float]) -> list[float]:
    """Rates to add because the best one is the lowest or the highest of all; empty if it is not.

    Args:
        tried: Constant rates.
        values: What each came to, smaller is better; infinite where it diverged.
        first: Lowest and highest rate of the ladder to begin with; how far it was extended is counted from there.
    """
    best = tried[min(range(len(tried)), key=lambda place: values[place])]
    if math.isinf(min(values)):
        return []
    low, high = min(tried), max(tried)
    if best == low:
        left = EXTENSIONS - _steps(first[0] / low)
        return [short(low / FACTOR**step) for step in range(1, min(left, AT_ONCE) + 1)]
    if best == high:
        left = EXTENSIONS - _steps(high / first[1])
        return [short(high * FACTOR**step) for step in range(1, min(left, AT_ONCE) + 1)]
    return []


def _steps(ratio: float) -> int:
    return max(round(math.log(ratio, FACTOR)), 0)
