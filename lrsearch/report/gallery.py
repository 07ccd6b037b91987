"""Which figures a study has, in which order, and how to read each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lrsearch.report import figures, standings, wording
from lrsearch.report.figures import Draw
from lrsearch.report.frames import StudyFrames


@dataclass(frozen=True)
class Picture:
    """A figure of a report.

    Attributes:
        file: Name of its file.
        title: What it shows; the text for those who cannot see it.
        reading: How to read it, in a sentence or two.
        draw: Makes it.
    """

    file: str
    title: str
    reading: str
    draw: Draw


FILES = (
    "finalists.png",
    "learning_curves.png",
    "lr_against_value.png",
    "best_schedules.png",
    "extra_metrics.png",
    "history.png",
)
"""Every file that a report may have; those of an earlier report that this one lacks are removed."""


def pictures(frames: StudyFrames) -> list[Picture]:
    """The figures that the data allow, the most telling one first.

    Args:
        frames: The study.
    """
    trials = standings.counted(frames)
    own = frames.curves[frames.curves["number"].isin(trials["number"])]
    ended = trials[trials["state"].isin(["complete", "pruned"])]
    steady = ended[~ended["diverged"]]
    curves = [_curves(frames)] if np.isfinite(own["test_metric"]).any() else []
    rates = [_rates(frames)] if (ended["lr"] > 0).any() else []
    first = curves + rates if figures.few(frames) else rates + curves
    stands = figures.few(frames) or len(standings.ranked(frames)) > 0
    schedules = [_schedules(frames)] if stands and own["lr"].notna().any() else []
    # Where trials are few, their curves have a panel for the extra metrics.
    extra = [_extra(frames)] if stands and frames.extras and not figures.few(frames) else []
    return [*_finalists(frames), *first, *schedules, *extra, *([_history(frames)] if len(steady) else [])]


def _finalists(frames: StudyFrames) -> list[Picture]:
    evidence = frames.evidence
    if evidence is None or not any(np.isfinite(contender.values).any() for contender in evidence.contenders):
        return []
    metric = wording.confirmed_metric(frames.metric, evidence.rows)
    side = "right" if frames.maximise else "left"
    reading = (
        f"A row per finalist, best mean on top; each mark is one of {len(evidence.seeds)} fresh seeds, the same for "
        f"all; lines are the intervals of the means. The cross is the test value that the search saw: where it lies "
        f"far to the {side}, the search was lucky."
    )
    return [Picture(FILES[0], f"Finalists on fresh seeds: {metric}", reading, figures.finalists)]


def _curves(frames: StudyFrames) -> Picture:
    trials, metric = standings.counted(frames), wording.test_metric(frames.metric)
    if figures.few(frames):
        reading = "Each colour is one trial, named by its settings and its value at the end."
        if frames.curves["train_metric"].notna().any():
            reading += (
                " Solid lines are the test rows, dashed ones the training rows; a gap that opens between "
                "the two is overfitting."
            )
    else:
        reading = "Each thin line is one trial, the thick one the best of its type."
        if (trials["state"] == "pruned").any():
            reading += " Dashed lines were pruned."
        if (trials["audit_epochs"] > 0).any():
            reading += " Dotted lines are how some of them went on: the audit trained them to the end anyway."
        reading += " The axes are the same in every panel; what leaves a panel is far worse than the rest."
    if trials["diverged"].any():
        reading += f" A cross marks the {frames.unit} in which a trial diverged."
    title = f"Learning curves: {metric} after every {frames.unit}"
    return Picture(FILES[1], title, reading, figures.learning_curves)


def _rates(frames: StudyFrames) -> Picture:
    trials = standings.counted(frames)
    reading = "Each mark is one trial."
    if len(standings.schedulers(frames)) > 1:
        reading += " Colour and shape are its scheduler type."
    if (trials["state"] == "pruned").any():
        reading += " Hollow marks were pruned and stand at their last value."
    if trials["diverged"].any():
        reading += " Crosses in the grey band diverged."
    if len(standings.ranked(frames)):
        reading += (
            " A wide valley is a safe choice, a narrow one is not; if the best marks lie at an edge, the range of "
            "learning rates was too narrow."
        )
    if frames.maximise:
        reading = reading.replace("valley", "hill")
    title = f"Initial learning rate against final {wording.test_metric(frames.metric)}"
    return Picture(FILES[2], title, reading, figures.lr_against_value)


def _schedules(frames: StudyFrames) -> Picture:
    whose = "each trial" if figures.few(frames) else "the best trial of each type, best first"
    reading = f"The learning rate at the start of every {frames.unit}, for {whose}."
    return Picture(FILES[3], "Learning rate over time", reading, figures.best_schedules)


def _extra(frames: StudyFrames) -> Picture:
    names = " and ".join(wording.metric(name) for name in frames.extras)
    reading = (
        f"Shown, but not optimised; one line for the best trial of each type, best "
        f"{wording.test_metric(frames.metric)} first."
    )
    return Picture(FILES[4], f"Test {names} after every {frames.unit}", reading, figures.extra_metrics)


def _history(frames: StudyFrames) -> Picture:
    reading = (
        "Trials in the order of their numbers; the line is the best so far. A line that still falls at the "
        "right edge says that more trials would help."
    )
    if frames.maximise:
        reading = reading.replace("falls", "rises")
    return Picture(FILES[5], "Optimisation history", reading, figures.history)
