"""The valley: what the recommended settings come to with other rates, and how far from the best that is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lrsearch.report import standings, wording
from lrsearch.report.figures.layout import legend, log_axis, row_of_panels, value_axis, value_label
from lrsearch.report.figures.look import BAND, FAINT, drawn
from lrsearch.report.figures.marks import DOWNWARDS, UPWARDS, state_keys
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import Span, span
from lrsearch.report.palette import styles
from lrsearch.study.rate_valley import OtherRate, RateValley, Standing

LINE: dict[str, Any] = {"color": "black", "linewidth": 1.2, "zorder": 3}
MARKS: dict[Standing, dict[str, Any]] = {
    Standing.WITHIN: {"marker": "o", "markerfacecolor": "black", "color": "black"},
    Standing.OPEN: {"marker": "o", "markerfacecolor": "white", "color": "black"},
    Standing.OUTSIDE: {"marker": "s", "markerfacecolor": "#D55E00", "color": "#D55E00"},
}
WORDS = {
    Standing.WITHIN: "shown to be within the margin",
    Standing.OPEN: "not decided",
    Standing.OUTSIDE: "shown to be worse",
}
SEARCH_ALPHA = 0.45
ENOUGH_RATES = 3
"""Different rates of the search from which on they say something."""


@drawn
def valley(frames: StudyFrames) -> Figure:
    """Rate against the metric, each rate with the interval of its difference to the recommended one.

    To the right, where the rows that score are not the test rows, the trials of the search that went to the end.

    Args:
        frames: A study whose answer has a valley.
    """
    assert frames.answer is not None
    assert frames.answer.valley is not None
    found, apart = frames.answer.valley, frames.answer.rows != "test"
    searched = trials_alike(frames)
    both = apart and len(searched) > 0
    figure, panels = row_of_panels(2 if both else 1, 9.6 if both else 7.6, 4.2, share="x")
    confirmed = panels[0]
    _draw_rates(confirmed, found, -1 if frames.maximise else 1)
    if both:
        confirmed.set_title("other rates on fresh seeds", loc="left")
        _draw_searched(panels[1], searched, frames)
        value_label(panels[1], wording.axis(frames.metric))
        panels[1].set_title("trials of the search, not fitted", loc="left")
        value_axis(panels[1], span(searched["value"], maximise=frames.maximise))
    elif not apart:
        _draw_searched(confirmed, searched, frames)
    shown = _shown(found, -1 if frames.maximise else 1)
    if not apart and len(searched):  # on the same rows; the worst of them need not be seen
        shown += list(span(searched["value"], maximise=frames.maximise).clip(searched["value"]))
    view = span(shown, maximise=frames.maximise, fence=False)
    value_axis(confirmed, view)
    cut = _mark_cut(confirmed, found, -1 if frames.maximise else 1, view)
    value_label(confirmed, wording.axis(frames.metric, frames.answer.rows or "test"))
    rates = span([found.lr, *(one.lr for one in found.rates), *searched["lr"]], fence=False)
    if rates.log:
        log_axis(confirmed.xaxis, rates)
    confirmed.set_xlim(rates.widened(0.06, 0.06))
    for axes in panels:
        axes.set_xlabel("initial learning rate")
    legend(figure, [*_keys(found, len(searched) > 0), *(state_keys(pruned=False, diverged=False, beyond=cut))])
    return figure


def trials_alike(frames: StudyFrames) -> pd.DataFrame:
    """The trials of the search with the recommended scheduler type that went to the end; none if they have few rates.

    Args:
        frames: A study with an answer.
    """
    assert frames.answer is not None
    ended = standings.ranked(frames)
    alike = standings.of_type(ended[ended["lr"] > 0], frames.answer.params.get("scheduler"))
    return alike if alike["lr"].nunique() >= ENOUGH_RATES else alike.iloc[:0]


def _draw_rates(axes: Axes, found: RateValley, sign: int) -> None:
    margin = sorted([found.value, found.value + sign * found.margin])
    axes.axhspan(*margin, color=BAND, zorder=0)
    if found.low < found.high:
        axes.axvspan(found.low, found.high, color="#0072B2", alpha=0.12, zorder=0, linewidth=0)
    points = [(found.lr, found.value)]
    for one in found.rates:
        if one.difference is None or one.interval is None:
            axes.plot([one.lr], [0.97], "x", transform=axes.get_xaxis_transform(), color="black", markersize=5)
            continue
        value = found.value + sign * one.difference
        points.append((one.lr, value))
        axes.plot([one.lr] * 2, [found.value + sign * end for end in one.interval], **LINE)
        axes.plot([one.lr], [value], linestyle="", markersize=6, zorder=5, **MARKS[one.standing])
    axes.plot(*np.array(sorted(points)).T, color=FAINT, linewidth=0.9, zorder=2)
    axes.plot([found.lr], [found.value], "*", color="black", markersize=12, zorder=6)


def _mark_cut(axes: Axes, found: RateValley, sign: int, view: Span) -> int:
    """An arrow where an interval goes on beyond the axis.

    Returns:
        How many there are.
    """
    ends = [(one.lr, found.value + sign * end) for one in found.rates if one.interval for end in one.interval]
    out = [(lr, end) for lr, end in ends if not view.low <= end <= view.high]
    for lr, end in out:
        high = end > view.high
        axes.plot([lr], [view.high if high else view.low], linestyle="", color="black", markersize=8, zorder=6,
                  marker=UPWARDS if high else DOWNWARDS)  # fmt: skip
    return len(out)


def _draw_searched(axes: Axes, searched: pd.DataFrame, frames: StudyFrames) -> None:
    assert frames.answer is not None
    looks = styles(standings.schedulers(frames))
    look = looks[frames.answer.params.get("scheduler")] if len(searched) else None
    if look is not None:
        axes.plot(searched["lr"], searched["value"], look.marker, color=look.colour, markersize=4.5,
                  alpha=SEARCH_ALPHA, markeredgewidth=0, zorder=1)  # fmt: skip


def _shown(found: RateValley, sign: int) -> list[float]:
    """Values of the rates, with the intervals of those that are decided: one of two seeds may reach very far."""
    decided: list[OtherRate] = [one for one in found.rates if one.standing in (Standing.WITHIN, Standing.OUTSIDE)]
    ends = [end for one in decided if one.interval for end in one.interval]
    means = [one.difference for one in found.rates if one.difference is not None]
    near = [end for one in found.rates if one.interval and one.seeds > 2 for end in one.interval]
    return [found.value + sign * own for own in (0.0, found.margin, *ends, *means, *near)]


def _keys(found: RateValley, any_searched: bool) -> list[Any]:
    there = {one.standing for one in found.rates}
    keys: list[Any] = [Line2D([], [], marker="*", color="black", markersize=10, linestyle="", label="recommended")]
    keys += [
        Line2D([], [], linestyle="", markersize=6, label=WORDS[own], **MARKS[own]) for own in MARKS if own in there
    ]
    if Standing.LOST in there:
        keys.append(Line2D([], [], color="black", marker="x", markersize=5, linestyle="", label="diverged or failed"))
    keys.append(Patch(color=BAND, label="the margin"))
    if found.low < found.high:
        keys.append(Patch(color="#0072B2", alpha=0.12, label="range within the margin"))
    if any_searched:
        keys.append(Line2D([], [], color=FAINT, marker="o", markersize=4.5, alpha=SEARCH_ALPHA, linestyle="",
                           label="trial of the search"))  # fmt: skip
    return keys
