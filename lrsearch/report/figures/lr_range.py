"""A learning-rate range test: loss against learning rate, short runs inside the range, and what follows from both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lrsearch.report import wording
from lrsearch.report.figures.layout import log_axis, panel_title, value_axis
from lrsearch.report.figures.look import FAINT, Drawing, drawn, plain
from lrsearch.report.limits import Span, span
from lrsearch.report.palette import style
from lrsearch.training.range_test import RangeTest, look_back
from lrsearch.training.weighing import Brief

HEADROOM = 1.3
"""The loss axis goes up to this many times the loss at the start of the ramp: what lies above is lost anyway."""


@dataclass(frozen=True)
class Look:
    """A second look, for a panel of its own.

    Attributes:
        briefs: Its runs, at least one.
        metric: Name of the task's metric.
        updates: Of each run.
        maximise: Whether a larger value of the metric is better: scores are never drawn on a log axis.
    """

    briefs: Sequence[Brief]
    metric: str
    updates: int
    maximise: bool = False


@drawn
def lr_range(test: RangeTest, title: str, loss: str, look: Look | None = None) -> Figure:
    """Each seed thin, their median thick, the suggested range shaded, the suggested rate marked; below, short runs.

    Args:
        test: The outcome of a range test.
        title: What was trained.
        loss: Name of the loss.
        look: The second look; None if there was none.
    """
    figure = Drawing(figsize=(7.6, 6.2 if look else 4.2), layout="constrained")
    median, rate = style(0).colour, style(1).colour
    if look is None:
        axes, tried = figure.add_subplot(), None
    else:
        axes, tried = figure.subplots(2, sharex=True, height_ratios=(5, 3))
    keys = _ramp(axes, test, median)
    keys += _suggestion([axes] if tried is None else [axes, tried], test, rate)
    keys += _diverged(axes, test)
    axes.set_ylabel(_smoothed(wording.axis(loss, rows="training"), short=look is not None))
    panel_title(axes, title)
    if look is not None and tried is not None:
        keys += _short_runs(tried, test, look)
    # Over the whole ramp, wherever the curves end: how much of it was lost is part of the answer.
    below = axes if tried is None else tried
    log_axis(below.xaxis, Span(float(test.rates[0]), float(test.rates[-1]), True))
    below.set_xlim(float(test.rates[0]), float(test.rates[-1]))
    below.set_xlabel("learning rate")
    figure.legend(handles=keys, loc="outside lower center", ncols=3)
    return figure


def _smoothed(label: str, *, short: bool) -> str:
    """The unit in a line of its own where the panel is low."""
    name, bracket, unit = label.partition(" (")
    return plain(f"{name}, smoothed") + "\n" + plain(f"({unit}") if short and bracket else plain(f"{label}, smoothed")


def _ramp(axes: Axes, test: RangeTest, colour: str) -> list[Line2D | Patch]:
    for row in test.smoothed:
        axes.plot(test.rates, row, color=FAINT, linewidth=0.8)
    axes.plot(test.rates, test.centre, color=colour, linewidth=2.2)
    axes.set_xscale("log")
    value_axis(axes, _view(test), above=0.06)
    return [
        Line2D([], [], color=colour, linewidth=2.2, label=f"median of {wording.plural(len(test.seeds), 'seed')}"),
        Line2D([], [], color=FAINT, linewidth=0.8, label="a seed"),
    ]


def _short_runs(axes: Axes, test: RangeTest, look: Look) -> list[Line2D | Patch]:
    """A point for each run, a line through their means, the suggested rate's larger; crosses where runs diverged."""
    colour, chosen = style(0).colour, style(1).colour
    kept = [(own.lr, own.value) for own in look.briefs if own.value is not None]
    rates = list(dict.fromkeys(lr for lr, _ in kept))
    values = [[value for own, value in kept if own == lr] for lr in rates]
    means = [math.fsum(own) / len(own) for own in values]
    axes.plot(rates, means, color=colour, linewidth=1.4)
    axes.plot([lr for lr, _ in kept], [value for _, value in kept], "o", color=FAINT, markersize=4)
    at = [place for place, lr in enumerate(rates) if lr == test.finding.lr]
    axes.plot([rates[place] for place in at], [means[place] for place in at], "o", color=chosen, markersize=8)
    if kept:
        value_axis(axes, span([value for _, value in kept], maximise=look.maximise, fence=False), above=0.12)
    lost = [own.lr for own in look.briefs if own.value is None]
    if lost:  # an empty line that nothing clips takes room in the corner
        _crosses(axes, lost)
    axes.set_ylabel(plain(wording.test_metric(look.metric)))
    return [Line2D([], [], color=colour, linewidth=1.4, marker="o", markerfacecolor=FAINT, markeredgecolor=FAINT,
                   markersize=4, label=f"{look.updates} updates at one rate")]  # fmt: skip


def _suggestion(panels: Sequence[Axes], test: RangeTest, colour: str) -> list[Line2D | Patch]:
    finding, keys = test.finding, list[Line2D | Patch]()
    if finding.range is not None:
        low, high = finding.range
        for axes in panels:
            axes.axvspan(low, high, color=colour, alpha=0.12, linewidth=0, zorder=0)
        keys.append(Patch(color=colour, alpha=0.12, label=f"suggested range {low:g} to {high:g}"))
    if finding.lr is not None:
        for axes in panels:
            axes.axvline(finding.lr, color=colour, linewidth=1.4, linestyle="dashed")
        keys.append(Line2D([], [], color=colour, linewidth=1.4, linestyle="dashed",
                           label=f"suggested rate {finding.lr:g}"))  # fmt: skip
    if not keys:
        keys.append(Line2D([], [], linestyle="", label="nothing to suggest"))
    return keys


def _diverged(axes: Axes, test: RangeTest) -> list[Line2D | Patch]:
    """Crosses on the upper edge where seeds were lost."""
    places = [seed.diverged_at for seed in test.seeds if seed.diverged_at is not None]
    if not places:
        return []
    _crosses(axes, places)
    return [Line2D([], [], color="black", marker="x", markersize=4.5, linestyle="", label="a seed diverged")]


def _crosses(axes: Axes, places: Sequence[float]) -> None:
    axes.plot(places, np.ones(len(places)), "x", transform=axes.get_xaxis_transform(), color="black",
              markersize=4.5, clip_on=False, zorder=7)  # fmt: skip


def _view(test: RangeTest) -> Span:
    """From the lowest loss to somewhat above that at the start of the ramp."""
    values = test.smoothed[~np.isnan(test.smoothed)]
    first = test.smoothed[:, : look_back(len(test.rates))]
    if np.isnan(first).all():
        return span(values, fence=False)
    top = float(np.nanmax(first))
    return span(np.minimum(values, top + (HEADROOM - 1) * abs(top)), fence=False)
