"""The finalists of a confirmed study: what each seed came to, the mean with its interval; test rows apart."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from lrsearch.report import standings, wording
from lrsearch.report.figures.layout import NARROW, is_narrow, legend_above, log_axis
from lrsearch.report.figures.look import BAND, FAINT, Drawing, drawn, plain
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import span
from lrsearch.report.palette import Style, style, styles
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence

LABEL_WIDTH = 38
"""Characters in a line beside the panel."""
LONGEST_WORD = 30
"""Characters of a name with its value that are never broken."""
NARROW_LABEL = 20
"""The same on a narrow page."""
LINE = 0.165
"""Height of a line of a label, in inches."""
SPREAD = 0.36
"""Height within a row, of 1, over which its seeds are spread, so that equal ones do not hide each other."""
GOLDEN = 0.618
"""Steps of this share fill an interval evenly, however many there are."""
MEAN: dict[str, Any] = {"color": "black", "linewidth": 1.8, "zorder": 4}
PROMISE: dict[str, Any] = {"marker": "X", "markersize": 6, "color": FAINT, "linestyle": "", "zorder": 3}
CONSTANT: dict[str, Any] = {"color": FAINT, "linestyle": (0, (4, 2)), "linewidth": 1.1, "zorder": 1}


@drawn
def finalists(frames: StudyFrames) -> Figure:
    """A row per finalist, best on top; beside it, paler, what the same came to on the test rows.

    Args:
        frames: A confirmed study in which a finalist has a value on some seed.
    """
    assert frames.evidence is not None
    looks = styles(standings.schedulers(frames))
    return _rows(frames.evidence, looks, frames.metric)


@drawn
def runs(evidence: Evidence, metric: str) -> Figure:
    """A row per setting of runs from anywhere, best on top.

    Args:
        evidence: Of which at least one setting has a value.
        metric: What the values are.
    """
    names = dict.fromkeys(contender.params.get("scheduler") for contender in evidence.contenders)
    return _rows(evidence, styles(list(names)), metric, label=metric)


def _rows(evidence: Evidence, looks: Mapping[Any, Style], metric: str, label: str | None = None) -> Figure:
    rows = [contender for contender in evidence.contenders if np.isfinite(contender.values).any()]
    apart = label is None and evidence.rows != "test" and any(np.isfinite(one.tests).any() for one in rows)
    apart = apart and not is_narrow()  # there is no room beside the rows, and below them they would stand twice
    wide = (NARROW + 1) if is_narrow() else 9.6 if apart else 7.6
    lines = max(_label(contender).count("\n") + 1 for contender in rows)
    figure = Drawing(figsize=(wide, 1.3 + max(0.46, LINE * lines) * len(rows)), layout="constrained")
    panels = figure.subplots(1, 2 if apart else 1, sharey=True, squeeze=False, width_ratios=[2, 1][: 1 + apart])[0]
    crosses = apart or evidence.rows == "test" or label is not None
    for place, contender in enumerate(rows):
        look = looks.get(contender.params.get("scheduler"), style(len(looks)))
        _scored(panels[0], place, contender, look, evidence)
        if apart:
            _seeds(panels[1], place, contender.tests, look, alpha=0.3)
        if crosses and contender.searched is not None:
            panels[-1].plot([contender.searched], [place], **PROMISE)
    _label_rows(panels[0], rows, evidence)
    for axes in panels:
        axes.grid(False, axis="y")
    _value_axis(panels[0], _shown(rows, evidence, promises=crosses and not apart), evidence)
    panels[0].set_xlabel(plain(label or wording.axis(metric, evidence.rows)))
    if apart:
        _test_axis(panels[1], rows, evidence, metric)
    legend_above(figure, _keys(rows, evidence, crosses=crosses))
    return figure


def _scored(axes: Axes, place: int, contender: Contender, look: Style, evidence: Evidence) -> None:
    """Seeds, mean and interval on the rows that score; the recommended row on a grey ground."""
    _seeds(axes, place, contender.values, look, alpha=0.65)
    if contender is _recommended(evidence):
        axes.axhspan(place - 0.5, place + 0.5, color=BAND, zorder=0)
    if contender.is_complete:
        interval = evidence.interval(contender)
        axes.plot([interval.low, interval.high], [place, place], **MEAN)
        axes.plot([interval.mean], [place], "|", **{**MEAN, "markersize": 13, "markeredgewidth": 2.2})
        if contender is evidence.constant:
            axes.axvline(interval.mean, **CONSTANT)


def _seeds(axes: Axes, place: int, values: NDArray[np.float64], look: Style, alpha: float) -> None:
    """A mark per seed; the same seed stands at the same height in every row."""
    heights = place + SPREAD * (np.arange(len(values)) * GOLDEN % 1 - 0.5)
    axes.plot(values, heights, look.marker, color=look.colour, markersize=4.5, alpha=alpha, markeredgewidth=0, zorder=2)


def _recommended(evidence: Evidence) -> Contender | None:
    return evidence.recommended if evidence.complete else None


def _label_rows(axes: Axes, rows: list[Contender], evidence: Evidence) -> None:
    axes.set_yticks(range(len(rows)), [_label(contender) for contender in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for contender, text in zip(rows, axes.get_yticklabels(), strict=True):
        if contender is _recommended(evidence):
            text.set_fontweight("bold")


def _shown(rows: list[Contender], evidence: Evidence, *, promises: bool) -> list[float]:
    """All seeds, intervals and, where they are of the same rows, what the search saw."""
    shown = [value for contender in rows for value in contender.values[np.isfinite(contender.values)]]
    intervals = [evidence.interval(contender) for contender in rows if contender.is_complete]
    shown += [limit for found in intervals for limit in (found.low, found.high)]
    return shown + [one.searched for one in rows if promises and one.searched is not None]


def _test_axis(axes: Axes, rows: list[Contender], evidence: Evidence, metric: str) -> None:
    shown = [value for contender in rows for value in contender.tests[np.isfinite(contender.tests)]]
    shown += [contender.searched for contender in rows if contender.searched is not None]
    _value_axis(axes, shown, evidence)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(plain(f"test {wording.metric(metric)}, for comparison"))


def _value_axis(axes: Axes, shown: list[float], evidence: Evidence) -> None:
    view = span(shown, maximise=evidence.maximise, fence=False)
    if view.log:
        log_axis(axes.xaxis, view)
    axes.set_xlim(view.widened(0.08, 0.06))


def _label(contender: Contender) -> str:
    """The settings, wrapped between them, and within one only where it is longer than any of ours."""
    parts = plain(wording.describe(contender.params)).split(", ")
    whole = ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)
    whole = " ".join(piece for word in whole.split(" ") for piece in textwrap.wrap(word, LONGEST_WORD))
    label = textwrap.fill(
        whole, NARROW_LABEL if is_narrow() else LABEL_WIDTH, break_long_words=False, break_on_hyphens=False
    )
    seeds = len(contender.known)
    lost = seeds - contender.trained
    if contender.has_left:
        return f"{label}\n(left out after {contender.planned} seeds)"
    return f"{label}\n({lost} of {seeds} seeds missing)" if lost else label


def _keys(rows: list[Contender], evidence: Evidence, *, crosses: bool) -> list[Line2D]:
    keys = [
        Line2D([], [], marker="o", color=FAINT, markersize=4.5, linestyle="", label="one seed"),
        Line2D([], [], marker="|", markersize=11, markeredgewidth=2, color="black", label="mean, 95 % interval"),
    ]
    if evidence.constant is not None:
        keys.append(Line2D([], [], **{**CONSTANT, "label": "best constant rate"}))
    if crosses and any(contender.searched is not None for contender in rows):
        keys.append(Line2D([], [], **{**PROMISE, "label": "what the search saw"}))
    return keys
