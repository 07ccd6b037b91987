"""What fewer epochs would have cost: the best over trials after each number of epochs, by scheduler type."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lrsearch.report import standings
from lrsearch.report.frames import StudyFrames
from lrsearch.report.wording import brief, error, percent

FEWEST_TRIALS = 3
"""Fewer trials are no choice: their curves say it all."""
FEWEST_EPOCHS = 4
"""Half of fewer epochs is next to nothing."""
SMALL = 0.01
"""A share below it is not written as a number."""


@dataclass(frozen=True)
class EpochCost:
    """What half the epochs would have cost.

    Attributes:
        half: Half the epochs.
        whole: All of them.
        at_half: The best over all trials after half the epochs.
        at_end: The same after all of them.
    """

    half: int
    whole: int
    at_half: float
    at_end: float


def best_by_epoch(frames: StudyFrames) -> pd.DataFrame:
    """The best test metric that any trial had, of those that reached an epoch.

    Where a study keeps the best epoch of a run, that of earlier ones counts, too.

    Args:
        frames: The study.

    Returns:
        Columns scheduler, epoch and best, in that order of rows; diverged trials are left out. Empty where there is
        nothing to choose from.
    """
    trials = standings.counted(frames)
    trials = trials[~trials["diverged"] & trials["state"].isin(["complete", "pruned"])]
    curves = frames.curves[["number", "epoch", "test_metric"]]
    own = curves[curves["number"].isin(trials["number"]) & np.isfinite(curves["test_metric"])]
    if own["number"].nunique() < FEWEST_TRIALS or own["epoch"].max() < FEWEST_EPOCHS:
        return pd.DataFrame({"scheduler": [], "epoch": [], "best": []})
    types = dict(zip(trials["number"], trials["scheduler"], strict=True))
    own = own.assign(scheduler=own["number"].map(types))
    grouped = own.groupby(["scheduler", "epoch"], dropna=False)["test_metric"]
    best: pd.DataFrame = (grouped.max() if frames.maximise else grouped.min()).rename("best").reset_index()
    if frames.definition is not None and frames.definition.study.value == "best":
        so_far = best.groupby("scheduler", dropna=False)["best"]
        best["best"] = so_far.cummax() if frames.maximise else so_far.cummin()
    return best


def epoch_cost(frames: StudyFrames) -> EpochCost | None:
    """What half the epochs would have cost, over all types; None where that cannot be said.

    Args:
        frames: The study.
    """
    best = best_by_epoch(frames)
    if not len(best):
        return None
    over_all = best.groupby("epoch")["best"].max() if frames.maximise else best.groupby("epoch")["best"].min()
    whole = int(over_all.index.max())
    half = whole // 2
    if half not in over_all.index:
        return None
    return EpochCost(half, whole, float(over_all[half]), float(over_all[whole]))


def sentences(frames: StudyFrames) -> list[str]:
    """What half the epochs would have cost, and what that does not say.

    Args:
        frames: The study.
    """
    found = epoch_cost(frames)
    if found is None:
        return []
    worse = (found.at_end - found.at_half) * (1 if frames.maximise else -1)
    levels = f"{brief(found.at_half)} after {found.half} {frames.unit}s, {brief(found.at_end)} after {found.whole}"
    if worse <= 0:
        told = f"Half the {frames.unit}s cost you nothing: the best of all trials was {levels}."
    else:
        told = f"Half the {frames.unit}s cost you {_cost(worse, found.at_end, frames.metric)} ({levels})."
    return [
        told,
        f"All trials were made for all {frames.unit}s: a schedule that is made for half of them has its small rates "
        "earlier, and may lose less.",
    ]


def _cost(worse: float, value: float, metric: str) -> str:
    share = worse / value if value > 0 and error(metric) == "error" else math.nan
    if math.isnan(share):
        return brief(worse)
    return percent(share) if share >= SMALL else "less than 1 %"
