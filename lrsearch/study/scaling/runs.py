"""Runs of several lengths, sorted into rungs of each scheduler type."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrsearch.study.scaling.valley import Rung

UNNAMED = "constant"
"""The type of runs that name none."""


@dataclass(frozen=True)
class ScaleRun:
    """One training.

    Attributes:
        at: Its place on the axis.
        lr: Its initial rate.
        seed: What else it was made from.
        value: What it came to, smaller is better; NaN where it came to nothing.
        scheduler: Its type.
    """

    at: float
    lr: float
    seed: Hashable
    value: float
    scheduler: str = UNNAMED


def rungs_by_type(runs: Sequence[ScaleRun]) -> dict[str, list[Rung]]:
    """Scheduler type -> its rungs, shortest first.

    A run that came to nothing counts as diverged: its rate is worse than any other.

    Args:
        runs: In any order.
    """
    found: dict[str, dict[float, list[ScaleRun]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        found[run.scheduler][run.at].append(run)
    return {kind: [_rung(at, own) for at, own in sorted(rungs.items())] for kind, rungs in found.items()}


def _rung(at: float, runs: Sequence[ScaleRun]) -> Rung:
    rates = sorted({run.lr for run in runs})
    places: Mapping[Hashable, int] = {seed: place for place, seed in enumerate(dict.fromkeys(run.seed for run in runs))}
    values = np.full((len(rates), len(places)), np.nan)
    for run in runs:
        value = run.value if math.isfinite(run.value) else math.inf
        values[rates.index(run.lr), places[run.seed]] = value
    return Rung(at, np.array(rates), values)
