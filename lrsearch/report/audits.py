"""What pruning saved, and what its audit found, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from lrsearch.report import standings
from lrsearch.report.frames import StudyFrames

BEST = 0.1
"""Share of the trials that were trained to the end which counts as the best."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Mark:
    """What a trial must be better than to end among the best.

    Attributes:
        place: Of the trial that holds it, among those that were trained to the end.
        of: How many those are.
        value: That trial's value.
        best: The value of the best one.
    """

    place: int
    of: int
    value: float
    best: float


@dataclass(frozen=True)
class PruningCost:
    """What pruning saved and lost, of one scheduler type or of all.

    Attributes:
        scheduler: The type; None stands for the trials that have none.
        pruned: Trials that were ended early.
        saved: Evaluations that training them to the end would have had, one for each epoch unless the study says
            otherwise, without those that the audit took.
        audited: How many of them were trained on, to an end that is known.
        lost: How many of those would have ended among the best.
    """

    scheduler: str | None
    pruned: int
    saved: int
    audited: int
    lost: int

    @property
    def interval(self) -> tuple[float, float]:
        """Between which limits the share of lost trials lies with `CONFIDENCE` (Clopper and Pearson, 1934)."""
        if not self.audited:
            return 0.0, 1.0
        from scipy.special import betaincinv  # a quarter of a second that a report without an audit need not wait for

        lost, kept, tail = self.lost, self.audited - self.lost, (1 - CONFIDENCE) / 2
        low = float(betaincinv(lost, kept + 1, tail)) if lost else 0.0
        high = float(betaincinv(lost + 1, kept, 1 - tail)) if kept else 1.0
        return low, high


def pruned(frames: StudyFrames) -> pd.DataFrame:
    """The trials that were pruned, audited or not.

    Args:
        frames: The study.
    """
    trials = standings.counted(frames)
    return trials[trials["state"] == "pruned"]


def audited(frames: StudyFrames) -> pd.DataFrame:
    """Those of the pruned trials that were trained on until they reached the last epoch or diverged.

    Args:
        frames: The study.
    """
    trials = pruned(frames)
    return trials[trials["audit_value"].notna() | trials["audit_diverged_at"].notna()]


def lost(frames: StudyFrames) -> pd.DataFrame:
    """Those of the audited trials that would have ended among the best.

    Args:
        frames: The study.
    """
    trials, held = audited(frames), mark(frames)
    return better(trials, held.value, frames) if held else trials.iloc[:0]


def better(trials: pd.DataFrame, value: float, frames: StudyFrames) -> pd.DataFrame:
    """Those of some audited trials that ended better than a value.

    Args:
        trials: Some of `audited`.
        value: The value.
        frames: The study.
    """
    ends = trials["audit_value"]
    return trials[(ends > value) if frames.maximise else (ends < value)]


def mark(frames: StudyFrames) -> Mark | None:
    """What a trial must be better than to end among the best; None if none was trained to the end.

    Args:
        frames: The study.
    """
    finished = standings.ranked(frames)
    if not len(finished):
        return None
    place = max(1, round(BEST * len(finished)))
    return Mark(place, len(finished), float(finished["value"].iloc[place - 1]), float(finished["value"].iloc[0]))


def by_scheduler(frames: StudyFrames, last: int) -> list[PruningCost]:
    """What pruning saved and lost, type by type.

    Args:
        frames: The study.
        last: Evaluations of a trial that is trained to the end: one for each epoch, unless the study says otherwise.
    """
    trials = pruned(frames)
    return [_cost(frames, name, last) for name in standings.schedulers(frames) if len(standings.of_type(trials, name))]


def total(costs: list[PruningCost]) -> PruningCost:
    """All scheduler types together.

    Args:
        costs: Each type's.
    """
    sums = {key: sum(getattr(cost, key) for cost in costs) for key in ("pruned", "saved", "audited", "lost")}
    return PruningCost(None, **sums)


def _cost(frames: StudyFrames, scheduler: str | None, last: int) -> PruningCost:
    trials, ends, gone = (standings.of_type(part(frames), scheduler) for part in (pruned, audited, lost))
    spent = trials[["epochs", "audit_epochs"]].sum().sum()
    return PruningCost(scheduler, len(trials), int(last * len(trials) - spent), len(ends), len(gone))
