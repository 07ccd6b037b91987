"""The learning rate against what else was searched and moves the best one: a map of the trials, shaded by value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from lrsearch.report import interactions, wording
from lrsearch.report.figures.layout import is_narrow, legend_above, log_axis, row_of_panels
from lrsearch.report.figures.look import Drawing, drawn
from lrsearch.report.frames import StudyFrames
from lrsearch.report.interactions import Interaction
from lrsearch.report.limits import Span, span

COLOURS = "cividis"
"""Dark is better: it reads the same for the colour-blind, and in print."""
LABELS = {interactions.BATCH_SIZE: "batch size", interactions.WEIGHT_DECAY: "weight decay"}
MOST_ABREAST = 3
"""Panels in a row."""
ROW = 0.3
"""How far marks of one choice are spread around its row, so that they do not hide each other."""
BEST = 0.1
"""Share of the trials that is ringed."""

Numbers = NDArray[np.float64]


@drawn
def rate_interactions(frames: StudyFrames, found: Sequence[Interaction]) -> Figure:
    """A panel for weight decay and for the batch size, where they were searched, and for each optimizer.

    Args:
        frames: The study.
        found: Its interactions, at least one.
    """
    figure, panels = _panels(len(found))
    values = np.concatenate([one.trials["value"].to_numpy(dtype=float) for one in found])
    shown = span(values, maximise=frames.maximise)
    colours = _colours(shown, maximise=frames.maximise)
    for axes, one in zip(panels, found, strict=True):
        _draw(axes, one, shown, colours)
    bar = figure.colorbar(colours, ax=panels, pad=0.02, fraction=0.04, aspect=10 * figure.get_figheight())
    bar.set_label(wording.axis(frames.metric))
    if shown.log:
        log_axis(bar.ax.yaxis, shown)
    bar.outline.set_visible(False)
    legend_above(figure, _keys(found))
    return figure


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    """Side by side as long as letters stay readable; more of them in rows."""
    if count <= MOST_ABREAST or is_narrow():
        return row_of_panels(count, (6.4, 9.0, 10.6)[min(count, MOST_ABREAST) - 1], 4.2)
    columns = 2 if count == 4 else MOST_ABREAST
    rows = math.ceil(count / columns)
    figure = Drawing(figsize=(8.4 if columns == 2 else 10.6, 3.4 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for left_over in panels[count:]:
        left_over.remove()
    return figure, panels[:count]


def _colours(shown: Span, *, maximise: bool) -> Any:
    norm = (LogNorm if shown.log else Normalize)(shown.low, shown.high)
    colour_map = matplotlib.colormaps[COLOURS if not maximise else f"{COLOURS}_r"]
    return matplotlib.cm.ScalarMappable(norm, colour_map)


def _draw(axes: Axes, found: Interaction, shown: Span, colours: Any) -> None:
    trials = found.trials
    places, rates = _places(found, trials["other"].to_numpy(dtype=float)), trials["lr"].to_numpy(dtype=float)
    faces = colours.to_rgba(shown.clip(trials["value"]))
    size, ringed = 42 if len(trials) <= 100 else 24, max(1, round(BEST * len(trials)))
    order = np.arange(len(trials))[::-1]  # the best on top
    axes.scatter(rates[order], places[order], s=size, c=faces[order], edgecolors="white", linewidths=0.4, zorder=3)
    axes.scatter(
        rates[1:ringed], places[1:ringed], s=1.5 * size, facecolors="none", edgecolors="black", linewidths=0.9, zorder=4
    )
    axes.plot(rates[:1], places[:1], "*", color="#D55E00", markersize=11, markeredgecolor="white", zorder=5)
    _draw_law(axes, found)
    _axes(axes, found)


def _axes(axes: Axes, found: Interaction) -> None:
    rates = span(found.trials["lr"], fence=False)
    if rates.log:
        log_axis(axes.xaxis, rates)
    axes.set_xlim(rates.widened(0.04, 0.04))
    if found.choices:
        axes.set_yticks(range(len(found.choices)), [f"{value:g}" for value in found.choices])
        axes.set_ylim(-0.6, len(found.choices) - 0.4)
    else:
        others = span(found.trials["other"], fence=False)
        if found.log:
            log_axis(axes.yaxis, others)
        axes.set_ylim(Span(others.low, others.high, found.log).widened(0.05, 0.05))
    axes.set(xlabel="initial learning rate", ylabel=LABELS[found.key])
    if found.optimizer:
        axes.set_title(found.optimizer, loc="left")


def _places(found: Interaction, others: Numbers) -> Numbers:
    """Where values lie vertically; those of one choice are spread a little, in the order of the trials."""
    if not found.choices:
        return others
    rows = np.searchsorted(found.choices, others).astype(np.float64)
    for row in np.unique(rows):
        mine = np.flatnonzero(rows == row)
        rows[mine] += ROW * (2 * ((np.arange(len(mine)) * 0.618034) % 1) - 1)  # golden ratio: no two neighbours alike
    return rows


def _draw_law(axes: Axes, found: Interaction) -> None:
    """The line of the best rates, only where it is known."""
    law = found.law
    if law is None or not law.is_known:
        return
    sizes = np.geomspace(*law.sizes, 50)
    levels = sizes
    if found.choices:
        levels = np.interp(np.log(sizes), np.log(found.choices), np.arange(len(found.choices)))
    axes.plot([law.at(size) for size in sizes], levels, color="#D55E00", linewidth=1.6, zorder=4.5)


def _keys(found: Sequence[Interaction]) -> list[Line2D]:
    best = "the best trial" + (" of each panel" if len(found) > 1 else "")
    keys = [
        Line2D([], [], color="#D55E00", marker="*", markersize=10, linestyle="", label=best),
        Line2D([], [], color="black", marker="o", markerfacecolor="none", markersize=7, linestyle="",
               label="the best tenth"),
    ]  # fmt: skip
    if any(one.law is not None and one.law.is_known for one in found):
        keys.append(Line2D([], [], color="#D55E00", linewidth=1.6, label="best rate for each batch"))
    return keys
