"""Where trials ended: against their learning rate, and in the order in which they came."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from lrsearch.report import standings, wording
from lrsearch.report.figures.layout import (
    legend,
    legend_above,
    log_axis,
    name_axes,
    small_multiples,
    value_axis,
    whole_axis,
)
from lrsearch.report.figures.look import BAND, BEHIND, FAINT, Drawing, drawn, plain
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import Span, span
from lrsearch.report.palette import Style, styles

ONE_PANEL = 7
"""Up to so many scheduler types fit into one panel: one for each colour."""
Looks = dict[str | None, Style]


@drawn
def lr_against_value(frames: StudyFrames) -> Figure:
    """Initial learning rate against the value at the end, with what was pruned and what diverged.

    Args:
        frames: A study whose trials have a learning rate.
    """
    trials, looks = standings.counted(frames), styles(standings.schedulers(frames))
    if len(looks) <= ONE_PANEL:
        figure: Figure = Drawing(figsize=(7.6, 4.6), layout="constrained")
        panels: dict[Axes, Looks] = {figure.add_subplot(): looks}
        legend(figure, [*_type_keys(looks), *_state_keys(trials)])
    else:
        figure, by_type = small_multiples(list(looks))
        panels = {axes: {name: looks[name]} for name, axes in by_type.items()}
        legend_above(figure, _state_keys(trials))
    view = span(_ends(trials[~trials["diverged"]]), maximise=frames.maximise)
    rates = span(trials["lr"], fence=False)
    # The panels share their axes: the room for one band is the room for all.
    above = max(_diverged_band(axes, trials, "lr", part, rows=len(part)) for axes, part in panels.items())
    for axes, part in panels.items():
        if len(panels) > 1:
            steady = trials[~trials["diverged"]]
            axes.plot(steady["lr"], view.clip(_ends(steady)), ".", color=BEHIND, markersize=2.5, zorder=1)
            axes.set_title(plain(wording.scheduler(next(iter(part)))))
        _points(axes, trials, "lr", part, view)
        value_axis(axes, view, above)
        if not (trials["state"].isin(["complete", "pruned"]) & ~trials["diverged"]).any():
            axes.set_yticks([])  # nothing but crosses, which have no value
        if rates.log:
            log_axis(axes.xaxis, rates)
        axes.set_xlim(rates.widened(0.04, 0.04))
    name_axes(figure, list(panels), "initial learning rate", plain(wording.axis(frames.metric)))
    return figure


@drawn
def history(frames: StudyFrames) -> Figure:
    """The value of every trial in the order of numbers, and the best so far.

    Args:
        frames: A study in which a trial has a value.
    """
    trials, looks = standings.counted(frames), styles(standings.schedulers(frames))
    view = span(_ends(trials[~trials["diverged"]]), maximise=frames.maximise)
    figure = Drawing(figsize=(7.6, 3.8), layout="constrained")
    axes = figure.add_subplot()
    _points(axes, trials, "number", looks, view)
    above = _diverged_band(axes, trials, "number", looks, rows=len(looks) if len(looks) <= ONE_PANEL else 1)
    keys = [*_type_keys(looks), *_best_so_far(axes, frames, view), *_state_keys(trials)]
    value_axis(axes, view, above)
    whole_axis(axes)
    axes.set(xlabel="trial number", ylabel=plain(wording.axis(frames.metric)))
    legend(figure, keys)
    return figure


def _best_so_far(axes: Axes, frames: StudyFrames, view: Span) -> list[Line2D]:
    finished = standings.ranked(frames).sort_values("number")
    if not len(finished):
        return []
    best = finished["value"].cummax() if frames.maximise else finished["value"].cummin()
    last = standings.counted(frames)["number"].max()
    line: dict[str, Any] = {"color": "black", "linewidth": 1.2}
    places, levels = [*finished["number"], last], view.clip([*best, best.iloc[-1]])
    axes.step(places, levels, where="post", zorder=3, **line)
    return [Line2D([], [], label="best so far", **line)]


def _points(axes: Axes, trials: pd.DataFrame, column: str, looks: Looks, view: Span) -> None:
    """Where trials ended: filled if trained to the end, hollow at the last value if pruned."""
    for name, look in looks.items():
        mine = standings.of_type(trials[~trials["diverged"]], name)
        size = _marker_size(len(trials)) + (1.8 if look.marker == "*" else 0.0)
        hollow: dict[str, Any] = {
            "markerfacecolor": "none",
            "markeredgewidth": 0.7,
            "alpha": 0.55,
            "zorder": 2,
        }
        filled: dict[str, Any] = {
            "markeredgecolor": "white",
            "markeredgewidth": 0.4,
            "alpha": 0.9,
            "zorder": 4,
        }
        for state, kind in (("pruned", hollow), ("complete", filled)):
            part = mine[mine["state"] == state]
            ends = view.clip(_ends(part))
            axes.plot(part[column], ends, look.marker, color=look.colour, markersize=size, **kind)


def _marker_size(trials: int) -> float:
    """In points: the more marks, the smaller each."""
    return 6.5 if trials <= 10 else 5.2 if trials <= 100 else 4.2


def _diverged_band(axes: Axes, trials: pd.DataFrame, column: str, looks: Looks, rows: int) -> float:
    """A grey band along the top with a cross per diverged trial, a row per type as long as there are rows.

    Returns:
        The room that the values must leave for it, as a share of their span.
    """
    lost = trials[trials["diverged"]]
    there = [name for name in looks if len(standings.of_type(lost, name))]
    if not there:
        return 0.04
    rows = min(rows, len(there))
    height = 0.05 + 0.028 * rows
    band = Rectangle((0, 1 - height), 1, height, transform=axes.transAxes, color=BAND, zorder=0.5, linewidth=0)
    axes.add_patch(band)
    for position, name in enumerate(there):
        places = standings.of_type(lost, name)[column]
        levels = np.full(len(places), 1 - height * (position % rows + 0.5) / rows)
        axes.plot(places, levels, "x", transform=axes.get_xaxis_transform(), color=looks[name].colour,
                  markersize=4.2, markeredgewidth=1.0, zorder=4)  # fmt: skip
    return (height + 0.03) / (1 - height - 0.03)


def _type_keys(looks: dict[str | None, Style]) -> list[Line2D]:
    """The legend of types; none where there is nothing to tell apart."""
    if len(looks) < 2:
        return []
    return [
        Line2D([], [], color=look.colour, marker=look.marker, linestyle="", markersize=5,
               label=plain(wording.scheduler(name)))
        for name, look in looks.items()
    ]  # fmt: skip


def _state_keys(trials: pd.DataFrame) -> list[Line2D]:
    """What hollow marks and crosses mean; only of what is there."""
    keys = []
    if (trials["state"] == "pruned").any():
        hollow: dict[str, Any] = {"marker": "o", "markerfacecolor": "none", "markersize": 4, "linestyle": ""}
        keys.append(Line2D([], [], color=FAINT, label="pruned (hollow)", **hollow))
    if trials["diverged"].any():
        keys.append(Line2D([], [], color=FAINT, marker="x", markersize=4.5, linestyle="", label="diverged"))
    return keys


def _ends(trials: pd.DataFrame) -> pd.Series[Any]:
    """The last value of each trial: what it was told, or else the last it reported."""
    return trials["value"].where(trials["value"].notna(), trials["last"])
