"""Who counts, who leads, and how each scheduler type did."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from lrsearch.report.frames import StudyFrames
from lrsearch.study import status

STATES = ("complete", "pruned", "failed", "running", "waiting")
OPEN = ("running", "waiting")


@dataclass(frozen=True)
class Counts:
    """How many trials there are of each kind, excluded ones apart.

    Attributes:
        budget: The study's total; None where nothing says it.
        complete: Trained to the end or diverged.
        pruned: Stopped early.
        failed: Failed for good.
        retried: Failed and run again as another trial, which is counted in its stead.
        running: Being trained.
        waiting: Not begun.
        diverged: How many of the complete ones diverged.
        excluded: Complete, pruned or failed for good, and taken out by a person.
    """

    budget: int | None
    complete: int
    pruned: int
    failed: int
    retried: int
    running: int
    waiting: int
    diverged: int
    excluded: int

    @property
    def done(self) -> int:
        """Trials that used up a part of the budget."""
        return self.complete + self.pruned + self.failed + self.excluded

    @property
    def is_done(self) -> bool:
        """Whether the study is finished, see `status.is_done`."""
        return status.is_done(self.budget, self.done, self.running + self.waiting)


def count(frames: StudyFrames) -> Counts:
    """How many trials there are of each kind.

    Args:
        frames: The study.
    """
    trials = frames.trials
    is_retried, is_open = trials["retried"].notna(), trials["state"].isin(OPEN)
    is_excluded = trials["excluded"].notna() & ~is_open & ~is_retried
    kinds = trials[~is_excluded & ~is_retried]
    states = kinds["state"].value_counts()
    return Counts(
        budget=frames.budget,
        **{state: int(states.get(state, 0)) for state in STATES},
        retried=int(is_retried.sum()),
        diverged=int(kinds["diverged"].sum()),
        excluded=int(is_excluded.sum()),
    )


def counted(frames: StudyFrames) -> pd.DataFrame:
    """The trials that tables and figures speak of: neither excluded nor run again as another trial.

    Args:
        frames: The study.
    """
    trials = frames.trials
    return trials[trials["excluded"].isna() & trials["retried"].isna()]


def ranked(frames: StudyFrames) -> pd.DataFrame:
    """The trials that may be the best by `study.ranking`, best first; equal values in the order of numbers.

    Args:
        frames: The study.
    """
    return frames.trials[frames.trials["ranked"]].sort_values(
        ["value", "number"], ascending=[not frames.maximise, True]
    )


def best_of_each(frames: StudyFrames) -> pd.DataFrame:
    """The best trial of each scheduler type, best first.

    Args:
        frames: The study.
    """
    return ranked(frames).drop_duplicates("scheduler")


def schedulers(frames: StudyFrames) -> list[str | None]:
    """The scheduler types that have trials, in the study file's order, then in that of their first trials.

    Args:
        frames: The study.

    Returns:
        Names; None stands for the trials that have no scheduler, and is last.
    """
    trials = counted(frames)
    present = list(dict.fromkeys(trials[trials["state"] != "waiting"]["scheduler"]))
    named = [name for name in present if name is not None]
    planned = list(frames.definition.search.schedulers) if frames.definition else []
    ordered: list[str | None] = [name for name in planned if name in named]
    ordered += [name for name in named if name not in planned]
    return ordered + ([None] if None in present else [])


def of_type(trials: pd.DataFrame, scheduler: str | None) -> pd.DataFrame:
    """The trials of one scheduler type.

    Args:
        trials: Any trials.
        scheduler: The type; None for the trials that have none.
    """
    return trials[trials["scheduler"].isna() if scheduler is None else trials["scheduler"] == scheduler]


def by_scheduler(frames: StudyFrames) -> pd.DataFrame:
    """A row per scheduler type, best first.

    Args:
        frames: The study.

    Returns:
        Columns scheduler, trials, complete, diverged (of the complete ones), pruned, best and median (of the
        complete ones that did not diverge), best_lr, best_number.
    """
    trials, finished = counted(frames), ranked(frames)
    rows = []
    for name in schedulers(frames):
        mine, ends = of_type(trials, name), of_type(finished, name)
        rows.append(
            {
                "scheduler": name,
                "trials": int((mine["state"] != "waiting").sum()),
                "complete": int((mine["state"] == "complete").sum()),
                "diverged": int(mine["diverged"].sum()),
                "pruned": int((mine["state"] == "pruned").sum()),
                "best": float(ends["value"].iloc[0]) if len(ends) else math.nan,
                "median": float(ends["value"].median()),
                "best_lr": float(ends["lr"].iloc[0]) if len(ends) else math.nan,
                "best_number": int(ends["number"].iloc[0]) if len(ends) else None,
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values("best", ascending=not frames.maximise, kind="stable") if rows else table


def divergence(frames: StudyFrames) -> pd.DataFrame:
    """Where each scheduler type breaks: a row for every type of which a trial diverged.

    Args:
        frames: The study.

    Returns:
        Columns scheduler, diverged, trials, lowest_lr (lowest that diverged), highest_lr (highest that
        trained to the end).
    """
    trials, finished = counted(frames), ranked(frames)
    rows = []
    for name in schedulers(frames):
        mine = of_type(trials, name)
        lost = mine[mine["diverged"]]
        if len(lost):
            rows.append(
                {
                    "scheduler": name,
                    "diverged": len(lost),
                    "trials": int((mine["state"] != "waiting").sum()),
                    "lowest_lr": float(lost["lr"].min()),
                    "highest_lr": float(of_type(finished, name)["lr"].max()),
                }
            )
    return pd.DataFrame(rows)


def first_rung(frames: StudyFrames) -> int | None:
    """The epoch after which the first trial was pruned: up to there all can be compared; None if none was.

    Args:
        frames: The study.
    """
    trials = counted(frames)
    epochs = trials[(trials["state"] == "pruned") & (trials["epochs"] > 0)]["epochs"]
    return int(epochs.min()) if len(epochs) else None


def at_epoch(frames: StudyFrames, trials: pd.DataFrame, epoch: int) -> pd.Series[float]:
    """The test metric after an epoch, for some trials; NaN where a trial has none.

    Args:
        frames: The study.
        trials: Which; rows of the trials frame.
        epoch: Epochs finished.
    """
    rows = frames.curves[frames.curves["epoch"] == epoch]
    values = dict(zip(rows["number"], rows["test_metric"], strict=True))
    found = [values.get(number, math.nan) for number in trials["number"]]
    return pd.Series(found, index=trials.index, dtype="float64")
