"""The middle of a valley: a last finalist, between the recommended rate and half or twice of it that are as good.

The best mean of a few rates is often the luckiest one, at an edge of those that are as good. The rate in the middle of
them is confirmed like any other finalist, on all seeds, and recommended only if it wins. There is one of them at most.
`tests/benchmarks/valley_middle.py` says what it is worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lrsearch.study.evidence import Evidence
from lrsearch.study.finalists import SAME_RATE, Finalist
from lrsearch.study.flanks import FACTORS, MOST_SEEDS, rates_alike
from lrsearch.study.rate_valley import rate_valley
from lrsearch.study_file.axes import short


def middle(entries: Sequence[Finalist], evidence: Evidence) -> Finalist | None:
    """The finalist to add when all flanks are trained.

    Half or twice the rate counts where its mean over the seeds that both have is worse by no more than the margin.

    Args:
        entries: The finalists.
        evidence: What they, and the flanks of the recommended settings, have come to.

    Returns:
        The recommended settings with the geometric mean of the lowest and the highest rate that count; None where that
        is the recommended rate, a finalist has it already, or there was such a finalist before.
    """
    found = rate_valley(evidence)
    if found is None or any(one.role == "middle" for one in entries):
        return None
    beside = [found.beside(factor) for factor in FACTORS]
    near = [one.lr for one in beside if one is not None and one.difference is not None
            and one.difference <= found.margin]  # fmt: skip
    rates = [found.lr, *near]
    lr = short(math.sqrt(min(rates) * max(rates)))
    chosen = evidence.recommended.params
    name = evidence.rate_name(chosen)
    if any(abs(own / lr - 1) < SAME_RATE for own in (found.lr, *rates_alike(entries, chosen, name))):
        return None
    return Finalist({**chosen, name: lr}, "middle", None, None, len(evidence.seeds))


def cost(seeds: int | None) -> int:
    """Trainings that it takes, about.

    Args:
        seeds: Of the confirmation, where it is settled beforehand on how many it is.
    """
    return seeds or MOST_SEEDS
