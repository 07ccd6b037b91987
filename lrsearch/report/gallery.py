"""Which figures a study has, where in the report each stands, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lrsearch.report import batch_size_words, epoch_cost, figures, interactions, rate_effects, standings, wording
from lrsearch.report.frames import StudyFrames
from lrsearch.report.picture import Picture, Place
from lrsearch.report.rate_spans import rate_spans
from lrsearch.report.scale_words import headline
from lrsearch.report.wording import number, plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure


FILES = (
    "finalists.png",
    "learning_curves.png",
    "lr_against_value.png",
    "best_schedules.png",
    "extra_metrics.png",
    "history.png",
    "valley.png",
    "epochs_needed.png",
    "rate_interactions.png",
    "scaling.png",
)
"""Every file that a report may have; those of an earlier report that this one lacks are removed."""
ENOUGH_RATES = 3
"""Different learning rates from which on a figure of them says something."""
ENOUGH_VALUES = 3
"""Trials that reached the end from which on their order says something."""


def pictures(frames: StudyFrames) -> list[Picture]:
    """The figures that say something, in the order of the report.

    Args:
        frames: The study.
    """
    makers = (_rates, _interactions, _curves, _schedules, _extra, _epochs, _finalists, _valley, _scale, _history)
    found = [picture for make in makers if (picture := make(frames)) is not None]
    words = figures.undrawable(_names(frames))
    return [_with_numbers(picture, words) for picture in found] if words else found


def _names(frames: StudyFrames) -> list[str]:
    """What figures may show of a study's own words."""
    settings = dict.fromkeys(part for params in frames.trials["params"] for pair in params.items() for part in pair
                             if not isinstance(part, (int, float)))  # fmt: skip
    return [frames.name, frames.metric, *frames.extras, *map(str, settings)]


def _with_numbers(picture: Picture, words: Mapping[str, int]) -> Picture:
    """The picture with a number for each word that no font here can draw, and what the numbers stand for."""

    def draw(frames: StudyFrames) -> Figure:
        with figures.numbered(words):
            return picture.draw(frames)

    said = "; ".join(f"[{place}] is {word}" for word, place in words.items())
    return replace(picture, draw=draw, reading=f"{picture.reading} In the figure {said}.")


def _rates(frames: StudyFrames) -> Picture | None:
    trials = standings.counted(frames)
    ended = trials[trials["state"].isin(["complete", "pruned"]) & (trials["lr"] > 0)]
    if ended["lr"].nunique() < ENOUGH_RATES:
        return None
    metric, rung = wording.test_metric(frames.metric), standings.first_rung(frames)
    first, last = rate_spans(frames)
    reading = "Each mark is one trial."
    if len(standings.schedulers(frames)) > 1:
        reading += " Colour and shape are its scheduler type."
    if rung:
        reading += (
            f" The first panel has all trials after {frames.unit} {rung}, where the first was pruned; hollow ones were "
            "pruned then or later. The second has those that went on to the end. A small rate learns slowly: how "
            "it does in the first panel says little about how it would have ended."
        )
        if first != last:
            reading += " The two panels have different axes: at the end the trials lie much closer together."
    if trials["diverged"].any():
        reading += " Crosses along the top diverged."
    if frames.evidence is not None and frames.evidence.complete:
        reading += " Dashes on a bar are means on fresh seeds with their intervals: trust those most."
    shown = f"after {frames.unit} {rung} and at the end" if rung else "at the end"
    seen = f"{plural(len(ended), 'trial')}, {_best_in_words(frames)}"
    return Picture(
        FILES[2], Place.RATES, f"Initial learning rate against {metric}, {shown}", seen, reading,
        figures.lr_against_value,
    )  # fmt: skip


def _interactions(frames: StudyFrames) -> Picture | None:
    found = interactions.interactions(frames)
    if not found:
        return None
    keys = dict.fromkeys(one.key.replace("_", " ") for one in found)
    reading = (
        "Each mark is one trial that was trained to the end: the darker, the better; the best tenth is ringed. Where "
        "the rings lie along a slant, the best rate depends on the other parameter, and both must be chosen together."
    )
    if any(one.choices for one in found):
        reading += " Marks of one choice are spread around its row only to be seen."
    said = [words for one in found if one.key == interactions.BATCH_SIZE for words in batch_size_words.sentences(one)]
    title = f"Initial learning rate with {' and '.join(keys)}"
    seen = said[0] if said else _best_in_words(frames)
    draw = partial(figures.rate_interactions, found=found)
    return Picture(FILES[8], Place.RATES, title, seen, " ".join([reading, *said]), draw)


def _curves(frames: StudyFrames) -> Picture | None:
    trials = standings.counted(frames)
    own = frames.curves[frames.curves["number"].isin(trials["number"])]
    if not np.isfinite(own["test_metric"]).any():
        return None
    metric = wording.test_metric(frames.metric)
    reading = _few_in_words(frames) if figures.few(frames) else _many_in_words(trials)
    if figures.kept_of(frames):
        reading += f" A ring marks the {frames.unit} that is kept, the best one; of several seeds the middle one."
    if trials["diverged"].any():
        reading += f" A cross marks the {frames.unit} in which a trial diverged."
    title = f"Learning curves: {metric} after every {frames.unit}"
    seen = f"{plural(own['number'].nunique(), 'curve')}, {_best_in_words(frames)}"
    return Picture(FILES[1], Place.CURVES, title, seen, reading, figures.learning_curves)


def _few_in_words(frames: StudyFrames) -> str:
    reading = "Each colour is one trial, named by its settings and its value at the end."
    if figures.single(frames) is not None:
        reading = f"The learning rate of each {frames.unit} stands below its errors." if _has_rates(frames) else ""
    if frames.curves["train_metric"].notna().any():
        reading += (
            " Solid lines are the test rows, dashed ones the training rows; a gap that opens between "
            "the two is overfitting."
        )
    return " ".join([reading.strip(), *rate_effects.sentences(frames)]).strip()


def _many_in_words(trials: pd.DataFrame) -> str:
    reading = "Each thin line is one trial, the thick one the best of its type."
    if trials.groupby(["scheduler", trials["state"] == "pruned"], dropna=False).size().max() > figures.MOST_LINES:
        reading += f" Of more than {figures.MOST_LINES} trials alike, only every so many is drawn."
    if (trials["state"] == "pruned").any():
        reading += " Dashed lines were pruned."
    if (trials["audit_epochs"] > 0).any():
        reading += " Dotted lines are how some of them went on: the audit trained them to the end anyway."
    if trials["scheduler"].nunique(dropna=False) > 1:
        reading += " The axes are the same in every panel; what leaves a panel is far worse than the rest."
    return reading


def _schedules(frames: StudyFrames) -> Picture | None:
    """Not where every rate stays what it was, nor where the curves of the only trial have it below them."""
    stands = figures.few(frames) or len(standings.ranked(frames)) > 0
    shown, _ = figures.chosen(frames) if stands else ({}, {})
    rates = frames.curves[frames.curves["number"].isin(list(shown))].groupby("number")["lr"]
    if figures.single(frames) is not None or not (rates.nunique() > 1).any():
        return None
    whose = "each trial" if figures.few(frames) else "the best trial of each type, best first"
    reading = f"The learning rate at the start of every {frames.unit}, for {whose}."
    if figures.leaves_out(frames):
        reading += " What falls below a ten-thousandth of the highest rate is left out: it trains next to nothing."
    types = dict.fromkeys(frames.trials[frames.trials["number"].isin(list(shown))]["scheduler"])
    seen = ", ".join(wording.scheduler(name) for name in types)
    return Picture(FILES[3], Place.SCHEDULES, "Learning rate over time", seen, reading, figures.best_schedules)


def _extra(frames: StudyFrames) -> Picture | None:
    # Where trials are few, their curves have a panel for the extra metrics.
    if not frames.extras or figures.few(frames) or not len(standings.ranked(frames)):
        return None
    names = " and ".join(wording.metric(name) for name in frames.extras)
    reading = (
        f"Shown, but not optimised; one line for the best trial of each type, best "
        f"{wording.test_metric(frames.metric)} first."
    )
    title = f"Test {names} after every {frames.unit}"
    seen = plural(len(standings.best_of_each(frames)), "line")
    return Picture(FILES[4], Place.CURVES, title, seen, reading, figures.extra_metrics)


def _epochs(frames: StudyFrames) -> Picture | None:
    if figures.few(frames) or not len(epoch_cost.best_by_epoch(frames)):  # the curves of few trials show it
        return None
    reading = (
        f"What each number of {frames.unit}s could have had: the best trial of each type then, partly the luckiest."
    )
    if (standings.counted(frames)["state"] == "pruned").any():
        reading += " Pruned trials count as far as they went."
    said = epoch_cost.sentences(frames)
    title = f"Best {wording.test_metric(frames.metric)} against {frames.unit}s"
    return Picture(
        FILES[7], Place.CURVES, title, said[0] if said else "", " ".join([reading, *said]), figures.epochs_needed
    )  # fmt: skip


def _finalists(frames: StudyFrames) -> Picture | None:
    evidence = frames.evidence
    if evidence is None or not any(np.isfinite(contender.values).any() for contender in evidence.contenders):
        return None
    metric = wording.confirmed_metric(frames.metric, evidence.rows)
    reading = (
        f"A row per finalist, best mean on top; each mark is one of {len(evidence.seeds)} fresh seeds, the same for "
        "all; lines are the intervals of the means."
    )
    if evidence.complete:
        reading += " The recommended row stands on grey."
    if any(contender.searched is not None for contender in evidence.contenders):
        side = "right" if frames.maximise else "left"
        apart = evidence.rows != "test"
        whose = "its pale seeds" if apart else "the seeds"
        # A narrow page has no such panel.
        where = "On a wide page, a paler panel has the test rows, and there the" if apart else "The"
        reading += (
            f" {where} cross is what the search saw: where it lies far to the {side} of {whose}, the search was lucky."
        )
    seen = plural(len(evidence.contenders), "finalist")
    if evidence.complete:
        chosen = evidence.recommended
        seen += f", recommended {wording.describe(chosen.params)} with mean {number(chosen.mean)}"
    return Picture(
        FILES[0], Place.EVIDENCE, f"Finalists on fresh seeds: {metric}", seen, reading, figures.finalists
    )  # fmt: skip


def _valley(frames: StudyFrames) -> Picture | None:
    found = None if frames.answer is None else frames.answer.valley
    if frames.answer is None or found is None:
        return None
    reading = (
        "The star is the recommended rate; each other mark is another rate with everything else the same, and the 95 % "
        "interval of its difference, seed by seed. Hollow ones are not decided: more seeds may say more, and they "
        "never widen the range."
    )
    if len(figures.trials_alike(frames)):
        reading += (
            " The pale marks are trials of the search that went to the end. They are not fitted: they differ in other "
            "parameters, and those that pruning left look alike, so that the valley looks flatter than it is."
        )
    metric = wording.confirmed_metric(frames.metric, frames.answer.rows or "test")
    seen = f"{plural(len(found.rates), 'rate')} beside {wording.exact(found.lr)}"
    return Picture(FILES[6], Place.VALLEY, f"The valley: learning rate against {metric}", seen, reading, figures.valley)


def _scale(frames: StudyFrames) -> Picture | None:
    if frames.scale is None:
        return None
    reading = (
        "A row per scheduler type. Each rung is a line to the left, dashed at its lowest point. To the right a line "
        "goes through these points, with its 95 % band. The diamond is the prediction, if there is one."
    )
    found = frames.scale.found
    title = f"From short runs to {found.axis} {found.to:g}"
    return Picture(FILES[9], Place.SCALE, title, headline(found), reading, figures.scaled_study)


def _history(frames: StudyFrames) -> Picture | None:
    finished = standings.ranked(frames).sort_values("number")
    if figures.few(frames) or len(finished) < ENOUGH_VALUES or finished["value"].nunique() == 1:
        return None
    reading = "Trials in the order of their numbers; the line is the best so far."
    if (standings.counted(frames)["state"] == "pruned").any():
        reading += " Trials that were pruned have no value at the end: they are ticks below."
    best = finished["value"].cummax() if frames.maximise else finished["value"].cummin()
    seen = f"the best goes from {number(float(best.iloc[0]))} to {number(float(best.iloc[-1]))}"
    return Picture(FILES[5], Place.APPENDIX, "Optimisation history", seen, reading, figures.history)


def _has_rates(frames: StudyFrames) -> bool:
    return bool(frames.curves["lr"].notna().any())


def _best_in_words(frames: StudyFrames) -> str:
    finished = standings.ranked(frames)
    if not len(finished):
        return "none trained to the end"
    best = finished.iloc[0]
    return f"best {number(float(best['value']))} with {wording.describe(best['params'])}"
