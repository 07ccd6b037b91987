"""The metric after every epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrsearch.report import standings, wording
from lrsearch.report.figures.layout import (
    legend,
    legend_above,
    name_axes,
    panel_title,
    row_of_panels,
    small_multiples,
    value_axis,
    value_label,
    whole_axis,
)
from lrsearch.report.figures.look import DOTS, FAINT, SHORT_DASHES, drawn, plain
from lrsearch.report.figures.run import training_run
from lrsearch.report.figures.selection import (
    Curves,
    all_values,
    audits_of,
    chosen,
    curves_of,
    few,
    kept_of,
    line_keys,
    single,
)
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import span
from lrsearch.report.palette import Style, styles

MOST_LINES = 300
"""Thin lines of a panel, of the pruned and of the other trials; with more nothing is seen but their colour."""
RUN = {"lr": "lr", "train": "train_metric", "test": "test_metric"}
"""What a figure of one run shows -> its column."""


@drawn
def learning_curves(frames: StudyFrames) -> Figure:
    """Metric after every epoch: a panel per scheduler type, or all in one where trials are few.

    Args:
        frames: A study with curves.
    """
    if (number := single(frames)) is not None and (run := _run(frames, number)) is not None:
        return run
    return _labelled(frames) if few(frames) else _by_type(frames)


def _run(frames: StudyFrames, number: int) -> Figure | None:
    """The only trial, with its learning rates below; None where it stored none."""
    rows = frames.curves[frames.curves["number"] == number]
    if not len(rows) or rows["lr"].isna().any():
        return None
    trial = frames.trials[frames.trials["number"] == number].iloc[0]
    epochs = {name: list(rows[column]) for name, column in RUN.items()}
    extras = {name: list(rows[name]) for name in frames.extras}
    before = (trial["before"], trial["before"]) if trial["diverged"] else None
    return training_run(epochs, frames.metric, wording.describe(trial["params"]), extras=extras, before=before,
                        maximise=frames.maximise, kept=kept_of(frames).get(number), unit=frames.unit)  # fmt: skip


def _by_type(frames: StudyFrames) -> Figure:
    trials, curves, audits = standings.counted(frames), curves_of(frames, "test_metric"), audits_of(frames)
    looks = styles(standings.schedulers(frames))
    steady = all_values(curves, trials[~trials["diverged"]]["number"])
    # Where all trials diverged, what they did before is all there is to see.
    values = steady if len(steady) else all_values(curves, trials["number"])
    view = span(values, maximise=frames.maximise)
    best = {row["scheduler"]: row["number"] for row in standings.best_of_each(frames).to_dict("records")}
    kept = kept_of(frames)
    figure, panels = small_multiples(list(looks))
    for name, axes in panels.items():
        mine = standings.of_type(trials, name)
        mine = mine[mine["state"] != "waiting"]
        _draw_thin(axes, mine, curves, looks[name])
        _draw_audited(axes, mine, audits, looks[name])
        _draw_best(axes, curves, best.get(name), looks[name])
        _ring(axes, curves, kept, best.get(name), looks[name].colour)
        panel_title(axes, f"{wording.scheduler(name)} ({wording.plural(len(mine), 'trial')})")
        value_axis(axes, view, above=0.06)
        whole_axis(axes, 6)
    name_axes(figure, list(panels.values()), frames.unit, plain(wording.axis(frames.metric)))
    legend_above(figure, [*_keys(trials, bool(best), bool(audits)), *_ring_key(kept)])
    return figure


def _draw_thin(axes: Axes, mine: pd.DataFrame, curves: Curves, look: Style) -> None:
    """The trials of a type, of many a part, the pruned ones dashed; and a cross where one diverged."""
    for pruned, dash, shade in ((True, SHORT_DASHES, 0.8), (False, "solid", 1.0)):
        part = mine[(mine["state"] == "pruned") == pruned]
        there = [number for number in part["number"] if number in curves]
        points = [np.column_stack(curves[number]) for number in there[:: max(1, math.ceil(len(there) / MOST_LINES))]]
        alpha = shade * min(0.6, max(0.15, 18 / len(mine)))  # the more lines, the fainter each
        lines = LineCollection(points, colors=look.colour, linewidths=0.8, linestyles=dash, alpha=alpha)
        axes.add_collection(lines)
    _mark_diverged(axes, list(mine[mine["diverged"]]["epochs"]), "black")
    axes.autoscale_view(scaley=False)


def _draw_audited(axes: Axes, mine: pd.DataFrame, audits: Curves, look: Style) -> None:
    """How pruned trials went on that the audit trained on."""
    points = [np.column_stack(audits[number]) for number in mine["number"] if number in audits]
    axes.add_collection(LineCollection(points, colors=look.colour, linewidths=1.2, linestyles=DOTS, alpha=0.9))
    axes.autoscale_view(scaley=False)


def _draw_best(axes: Axes, curves: Curves, best: int | None, look: Style) -> None:
    """One thick line, with a white rim that lifts it off the thin ones."""
    if best is not None and best in curves:
        axes.plot(*curves[best], color="white", linewidth=3.6, zorder=5)
        axes.plot(*curves[best], color=look.colour, linewidth=2.2, zorder=6)


def _ring(axes: Axes, curves: Curves, kept: Mapping[int, float], number: int | None, colour: str) -> None:
    """A ring where the epoch is that counts of a trial, if that is not the last."""
    if number is None or number not in kept or number not in curves:
        return
    epochs, values = curves[number]
    here = epochs == kept[number]
    axes.plot(epochs[here], values[here], "o", color=colour, markerfacecolor="white", markersize=6, markeredgewidth=1.6,
              zorder=7)  # fmt: skip


def _ring_key(kept: Mapping[int, float]) -> list[Line2D]:
    if not kept:
        return []
    return [Line2D([], [], color=FAINT, marker="o", markerfacecolor="white", markersize=6, markeredgewidth=1.6,
                   linestyle="", label="epoch kept")]  # fmt: skip


def _mark_diverged(axes: Axes, epochs: list[float], colour: str) -> None:
    """Crosses on the upper edge, at the last epoch of the trials that left the figure there."""
    if not epochs:
        return  # an empty line outside the panel has no extent, and the layout would make room for infinity
    levels = np.ones(len(epochs))
    axes.plot(epochs, levels, "x", transform=axes.get_xaxis_transform(), color=colour,
              markersize=4.5, alpha=0.8, clip_on=False, zorder=7)  # fmt: skip


def _keys(trials: pd.DataFrame, any_best: bool, any_audit: bool) -> list[Line2D]:
    """What the lines mean; only of what is there."""
    keys = []
    if any_best:
        keys.append(Line2D([], [], color=FAINT, linewidth=2.2, label="best of the type"))
    keys.append(Line2D([], [], color=FAINT, linewidth=0.8, label="other trials" if any_best else "trials"))
    if (trials["state"] == "pruned").any():
        keys.append(Line2D([], [], color=FAINT, linewidth=0.8, linestyle=SHORT_DASHES, label="pruned"))
    if any_audit:
        keys.append(
            Line2D([], [], color=FAINT, linewidth=1.2, linestyle=DOTS, label="pruned, trained on for the audit")
        )
    if trials["diverged"].any():
        keys.append(Line2D([], [], color="black", marker="x", markersize=4.5, linestyle="", label="diverged"))
    return keys


def _labelled(frames: StudyFrames) -> Figure:
    """All trials in one panel, with a label each; a further panel for each extra metric."""
    looks, labels = chosen(frames)
    names, kept = ["test_metric", *frames.extras], kept_of(frames)
    figure, panels = row_of_panels(len(names), 4.4 * len(names) + 2.4, 3.8)
    for axes, name in zip(panels, names, strict=True):
        optimised = name == "test_metric"
        train = curves_of(frames, "train_metric") if optimised else {}
        _draw_labelled(axes, frames, curves_of(frames, name), train, looks)
        for number, look in looks.items():
            _ring(axes, curves_of(frames, name), kept, number, look.colour)
        axes.set_xlabel(frames.unit)
        value_label(axes, wording.axis(frames.metric if optimised else name, rows="" if train else "test"))
    keys = line_keys(looks, labels)
    if frames.curves["train_metric"].notna().any():
        keys.append(Line2D([], [], color=FAINT, linewidth=1.8, label="test rows"))
        keys.append(Line2D([], [], color=FAINT, linewidth=1.0, linestyle=SHORT_DASHES, label="training rows"))
    keys += _ring_key(kept)
    legend(figure, keys, plain(f"settings: {wording.test_metric(frames.metric)}"))
    return figure


def _draw_labelled(axes: Axes, frames: StudyFrames, test: Curves, train: Curves, looks: dict[int, Style]) -> None:
    """Curves on test and training rows, a colour per trial, with a cross where one diverged."""
    lost = frames.trials[frames.trials["diverged"]]
    diverged = dict(zip(lost["number"], lost["epochs"], strict=True))
    steady = [number for number in looks if number not in diverged]
    values = np.concatenate([all_values(test, steady), all_values(train, steady)])
    # The axis of the optimised metric; further ones, such as accuracy, are shares that have no outliers.
    optimised = bool(train) or not frames.extras
    for number, look in looks.items():
        if number in train:
            axes.plot(*train[number], color=look.colour, linewidth=1.0, linestyle=SHORT_DASHES)
        if number in test:
            axes.plot(*test[number], color=look.colour, linewidth=1.8, linestyle=look.dash)
        if number in diverged:
            _mark_diverged(axes, [diverged[number]], look.colour)
    value_axis(axes, span(values, maximise=frames.maximise, fence=optimised, log=optimised))
    whole_axis(axes)
