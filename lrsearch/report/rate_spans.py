"""The axes of values of the two panels in which learning rates are drawn against them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lrsearch.report import standings
from lrsearch.report.confirmed_rates import confirmed_rates
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import Span, span

FEW = 12
"""Up to so many trials all are shown, however far off one is."""
ROOM = 0.25
"""The values at the end fill at least this share of an axis that both panels have in common; else each has its own."""


def rate_spans(frames: StudyFrames) -> tuple[Span, Span]:
    """What the panel of the first rung shows of the metric, and what the panel of the end shows.

    Both show the same, so that they can be compared by eye, unless the trials at the end would then be squeezed into a
    line.

    Args:
        frames: The study.
    """
    trials, rung = standings.counted(frames), standings.first_rung(frames)
    steady = trials[~trials["diverged"]]
    early = np.asarray(standings.at_epoch(frames, steady, rung), dtype=float) if rung else np.empty(0)
    confirmed = [limit for found in confirmed_rates(frames) for limit in (found.low, found.high)]
    end = np.array([*steady[steady["state"] == "complete"]["value"], *confirmed], dtype=float)

    def of(values: NDArray[np.float64]) -> Span:
        return span(values, maximise=frames.maximise, fence=len(trials) > FEW)

    both = of(np.concatenate([early, end]))
    if not np.isfinite(early).any() or not np.isfinite(end).any() or of(end).share_of(both) >= ROOM:
        return both, both
    return of(early), of(end)
