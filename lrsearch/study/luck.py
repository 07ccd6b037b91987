"""What the best of many single runs will come to when it is trained again. Numbers in, number out."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

LEAST = 5
"""So many runs count as near the best, or half of them where there are few."""


def expected_again(values: Sequence[float]) -> float:
    """What one new training with the settings of the best run will give: the median of the better half of the runs.

    The best of many runs was lucky, too: its value is the lowest of values that also differ by chance. A search sends
    many runs near its best, so that the better half are nearly as good without being the luckiest. Where all runs share
    one seed, what that seed is luckier than others remains: only a confirmation takes it out.

    Measured on 48 searches of 16, 60 and 200 trials, whose best settings were trained on 20 fresh seeds
    (`tests/benchmarks/expected_again.py`; the table is in its README).

    Args:
        values: Of the runs that were trained to the end, best first, smaller is better; at least one.
    """
    near = max((len(values) - 1) // 2, min(LEAST, (len(values) + 2) // 2))
    return median(values[:near])
