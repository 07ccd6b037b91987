"""How the best rate moves with the batch size, in a sentence for everybody."""

from __future__ import annotations

import math

from lrsearch.report.interactions import Interaction
from lrsearch.report.wording import brief, plural
from lrsearch.study.batch_size_law import LEAST_SIZES, LEAST_SPAN, LEAST_TRIALS, BatchSizeLaw


def sentences(found: Interaction) -> list[str]:
    """What to do with the rate if the batch grows, or why that is not known.

    Args:
        found: Of the batch size.
    """
    whose = f"With {found.optimizer}: " if found.optimizer else ""
    law = found.law
    if law is None:
        need = f"{LEAST_TRIALS} trials to the end, and {LEAST_SIZES} batch sizes of which the largest is "
        return [
            f"{whose}How the best rate moves with the batch size cannot be said: that takes {need}"
            f"{LEAST_SPAN:g} times the smallest."
        ]
    if not law.is_known:
        return [f"{whose}How the best rate moves with the batch size is not known from these trials: {_why(law)}."]
    factor, low, high = (2.0**own for own in (law.exponent, law.low, law.high))
    stays = " So it may as well stay." if low <= 1 <= high else ""
    small, large = law.sizes
    return [
        f"{whose}If you double the batch, multiply the rate by {factor:.2g} (95 % interval {low:.2g} to {high:.2g})."
        + stays,
        f"The best rate goes from {brief(law.at(small))} at a batch of {small:g} to {brief(law.at(large))} at "
        f"{large:g}, as the batch size to the power {law.exponent:.2f} ({law.low:.2f} to {law.high:.2f}; "
        f"{plural(law.trials, 'trial')} near the valley). This holds for as many epochs as here, and not far beyond "
        "these sizes.",
    ]


def _why(law: BatchSizeLaw) -> str:
    if math.isnan(law.exponent) or not math.isfinite(law.high - law.low):
        return f"{plural(law.among, 'trial')} show no valley"
    if law.misses_the_best:
        return "the best of them lie in another valley than most, perhaps by luck; more seeds a trial would tell"
    if law.leaves_the_rates:
        return "the best rate leaves the rates that were tried"
    return (
        f"the interval of its exponent, {law.low:.2f} to {law.high:.2f}, is too wide to go by; "
        "more trials to the end would narrow it"
    )
