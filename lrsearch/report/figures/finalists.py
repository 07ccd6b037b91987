"""The finalists of a confirmed study: what each seed came to, the mean with its interval, and what the search said."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrsearch.report import standings, wording
from lrsearch.report.figures.layout import legend_above, log_axis
from lrsearch.report.figures.look import FAINT, Drawing, drawn, plain
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import span
from lrsearch.report.palette import Style, style, styles
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence

LABEL_WIDTH = 38
"""Characters in a line beside the panel."""
MEAN: dict[str, Any] = {"color": "black", "linewidth": 1.8, "zorder": 4}
PROMISE: dict[str, Any] = {"marker": "X", "markersize": 6, "color": FAINT, "linestyle": "", "zorder": 3}


@drawn
def finalists(frames: StudyFrames) -> Figure:
    """A row per finalist, best on top.

    Args:
        frames: A confirmed study in which a finalist has a value on some seed.
    """
    assert frames.evidence is not None
    looks = styles(standings.schedulers(frames))
    return _rows(frames.evidence, looks, wording.axis(frames.metric, frames.evidence.rows))


@drawn
def runs(evidence: Evidence, metric: str) -> Figure:
    """A row per setting of runs from anywhere, best on top.

    Args:
        evidence: Of which at least one setting has a value.
        metric: What the values are.
    """
    names = dict.fromkeys(contender.params.get("scheduler") for contender in evidence.contenders)
    return _rows(evidence, styles(list(names)), metric)


def _rows(evidence: Evidence, looks: Mapping[Any, Style], label: str) -> Figure:
    rows = [contender for contender in evidence.contenders if np.isfinite(contender.values).any()]
    figure = Drawing(figsize=(7.6, 1.3 + 0.46 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for place, contender in enumerate(rows):
        look = looks.get(contender.params.get("scheduler"), style(len(looks)))
        _row(axes, place, contender, look, evidence)
    axes.set_yticks(range(len(rows)), [_label(contender) for contender in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(False, axis="y")
    _value_axis(axes, rows, evidence)
    axes.set_xlabel(plain(label))
    legend_above(figure, _keys(rows))
    return figure


def _row(axes: Axes, place: int, contender: Contender, look: Style, evidence: Evidence) -> None:
    values = contender.values[np.isfinite(contender.values)]
    axes.plot(values, np.full(len(values), place), look.marker, color=look.colour, markersize=4.5, alpha=0.6, zorder=2)
    if contender.is_complete:
        interval = evidence.interval(contender)
        axes.plot([interval.low, interval.high], [place, place], **MEAN)
        axes.plot([interval.mean], [place], "|", **{**MEAN, "markersize": 13, "markeredgewidth": 2.2})
    if contender.searched is not None:
        axes.plot([contender.searched], [place], **PROMISE)


def _value_axis(axes: Axes, rows: list[Contender], evidence: Evidence) -> None:
    """All seeds, promises and intervals in view."""
    shown = [value for contender in rows for value in contender.values[np.isfinite(contender.values)]]
    shown += [contender.searched for contender in rows if contender.searched is not None]
    intervals = [evidence.interval(contender) for contender in rows if contender.is_complete]
    shown += [limit for found in intervals for limit in (found.low, found.high)]
    view = span(shown, maximise=evidence.maximise, fence=False)
    if view.log:
        log_axis(axes.xaxis, view)
    axes.set_xlim(view.widened(0.08, 0.06))


def _label(contender: Contender) -> str:
    label = textwrap.fill(plain(wording.describe(contender.params)), LABEL_WIDTH)
    seeds = len(contender.known)
    lost = seeds - contender.trained
    if contender.has_left:
        return f"{label}\n(left out after {contender.planned} seeds)"
    return f"{label}\n({lost} of {seeds} seeds missing)" if lost else label


def _keys(rows: list[Contender]) -> list[Line2D]:
    keys = [
        Line2D([], [], marker="o", color=FAINT, markersize=4.5, linestyle="", label="one seed"),
        Line2D([], [], marker="|", markersize=11, markeredgewidth=2, color="black", label="mean, 95 % interval"),
    ]
    if any(contender.searched is not None for contender in rows):
        keys.append(Line2D([], [], **{**PROMISE, "label": "what the search saw"}))
    return keys
