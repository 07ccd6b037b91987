"""The trials that were trained to the end in the order in which they came, and the best so far."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrsearch.report import standings, wording
from lrsearch.report.figures.layout import legend, row_of_panels, value_axis, value_label, whole_axis
from lrsearch.report.figures.look import FAINT, drawn
from lrsearch.report.figures.marks import FILLED, draw_diverged, draw_marks, state_keys, type_keys
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import Span, span
from lrsearch.report.palette import styles


@drawn
def history(frames: StudyFrames) -> Figure:
    """The value of every trial that reached the end, in the order of numbers, and the best so far.

    Trials that were pruned have no value at the end: a tick on the lower edge says where they were.

    Args:
        frames: A study in which a trial was trained to the end.
    """
    trials, looks = standings.counted(frames), styles(standings.schedulers(frames))
    ended = trials[(trials["state"] == "complete") & ~trials["diverged"]]
    pruned = trials[trials["state"] == "pruned"]
    view = span(ended["value"], maximise=frames.maximise)
    figure, (axes,) = row_of_panels(1, 7.6, 3.8)
    beyond = draw_marks(axes, ended, "number", "value", looks, view, FILLED)
    above = draw_diverged(axes, trials[trials["diverged"]], "number", looks)
    keys = [*type_keys(looks), *_best_so_far(axes, frames, view)]
    if len(pruned):
        axes.plot(pruned["number"], [0.012] * len(pruned), "|", transform=axes.get_xaxis_transform(), color=FAINT,
                  markersize=6, zorder=2)  # fmt: skip
        keys.append(Line2D([], [], color=FAINT, marker="|", markersize=6, linestyle="", label="pruned: no value"))
    keys += state_keys(pruned=False, diverged=bool(trials["diverged"].any()), beyond=beyond)
    value_axis(axes, view, above)
    whole_axis(axes)
    axes.set_xlabel("trial number")
    value_label(axes, wording.axis(frames.metric))
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
