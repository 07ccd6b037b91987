"""Which trials a figure speaks of one by one, and how it labels them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from lrsearch.report import standings, wording
from lrsearch.report.figures.look import plain
from lrsearch.report.frames import StudyFrames
from lrsearch.report.palette import Style, style, styles

FEW_TRIALS = 8
"""Up to so many trials, none of them pruned, every curve gets a label of its own."""

Values = NDArray[np.float64]
Curves = dict[int, tuple[Values, Values]]
"""Trial number -> epochs and values, both [points]."""


def few(frames: StudyFrames) -> bool:
    """Whether trials are so few, and all trained to the end, that each curve can have a label of its own.

    Args:
        frames: The study.
    """
    states = standings.counted(frames)["state"]
    begun = states[states != "waiting"]
    return 0 < len(begun) <= FEW_TRIALS and not (begun == "pruned").any()


def single(frames: StudyFrames) -> int | None:
    """The number of the only trial that began, if there is just one and it was trained to the end; None otherwise.

    Args:
        frames: The study.
    """
    begun = standings.counted(frames)
    begun = begun[begun["state"] != "waiting"]
    return int(begun["number"].iloc[0]) if len(begun) == 1 and few(frames) else None


def chosen(frames: StudyFrames) -> tuple[dict[int, Style], dict[int, str]]:
    """The trials that stand for the study: all where they are few, or else the best of each type.

    Args:
        frames: The study.

    Returns:
        Trial number -> look, and trial number -> label; best first.
    """
    if few(frames):
        trials = standings.counted(frames)
        trials = trials[trials["state"] != "waiting"].sort_values("value", ascending=not frames.maximise)
        order = sorted(trials["number"])
        return {n: style(order.index(n)) for n in trials["number"]}, _labels(trials)
    best, of_type = standings.best_of_each(frames), styles(standings.schedulers(frames))
    rows = list(zip(best["number"], best["scheduler"], best["value"], strict=True))
    looks = {number: of_type[name] for number, name, _ in rows}
    return looks, {n: plain(f"{wording.scheduler(name)}: {wording.number(v)}") for n, name, v in rows}


def _labels(trials: pd.DataFrame) -> dict[int, str]:
    """A label per trial from the parameters in which trials differ, with its value."""
    params = list(trials["params"])
    names = list(dict.fromkeys(name for own in params for name in own))
    differ = [name for name in names if len({repr(own.get(name)) for own in params}) > 1]
    labels = {}
    for row in trials.to_dict("records"):
        own = {name: row["params"][name] for name in differ if name in row["params"]}
        words = wording.describe(own) if own else f"trial {row['number']}"
        end = "diverged" if row["diverged"] else wording.number(row["value"])
        labels[row["number"]] = plain(f"{words}: {end}" if row["state"] == "complete" else words)
    return labels


def line_keys(looks: dict[int, Style], labels: dict[int, str]) -> list[Line2D]:
    """A legend of trials.

    Args:
        looks: Trial number -> look.
        labels: Trial number -> label.
    """
    return [
        Line2D([], [], color=look.colour, linestyle=look.dash, linewidth=1.8, label=labels[number])
        for number, look in looks.items()
    ]


def curves_of(frames: StudyFrames, column: str) -> Curves:
    """The finite part of a curve of every trial that has one.

    Args:
        frames: The study.
        column: Which column of the curves frame.
    """
    curves = frames.curves
    curves = curves[np.isfinite(curves[column])]
    numbers, starts = np.unique(curves["number"].to_numpy(), return_index=True)
    epochs = np.split(curves["epoch"].to_numpy(dtype=float), starts[1:])
    values = np.split(curves[column].to_numpy(dtype=float), starts[1:])
    return {int(n): (e, v) for n, e, v in zip(numbers, epochs, values, strict=False)}


def audits_of(frames: StudyFrames) -> Curves:
    """How trials that were pruned went on where they were trained on, from the value that they were pruned at.

    Args:
        frames: The study.
    """
    trials = standings.counted(frames)
    return {
        row["number"]: (
            row["epochs"] + np.arange(len(row["audit_curve"]) + 1),
            np.array([row["last"], *row["audit_curve"]]),
        )
        for row in trials[trials["audit_epochs"] > 0].to_dict("records")
    }


def kept_of(frames: StudyFrames) -> dict[int, float]:
    """Trial number -> the epoch that its seeds keep, the middle one of them; empty where all keep the last.

    Args:
        frames: The study.
    """
    if frames.definition is None or frames.definition.study.value != "best":
        return {}
    trials = standings.counted(frames)
    kept = zip(trials["number"], trials["kept_epochs"], trials["diverged"], strict=True)
    return {int(number): sorted(epochs)[len(epochs) // 2] for number, epochs, lost in kept if epochs and not lost}


def all_values(curves: Curves, numbers: Iterable[int]) -> Values:
    """The values of some trials' curves in one array [points].

    Args:
        curves: The curves.
        numbers: The trials; those without a curve are passed over.
    """
    return np.concatenate([np.empty(0), *(curves[number][1] for number in numbers if number in curves)])
