"""A learning-rate range test: loss against learning rate, and what follows from it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lrsearch.report import wording
from lrsearch.report.figures.layout import log_axis, value_axis
from lrsearch.report.figures.look import FAINT, Drawing, drawn, plain
from lrsearch.report.limits import Span, span
from lrsearch.report.palette import style
from lrsearch.training.range_test import RangeTest, look_back

HEADROOM = 1.3
"""The loss axis goes up to this many times the loss at the start of the ramp: what lies above is lost anyway."""


@drawn
def lr_range(test: RangeTest, title: str, loss: str) -> Figure:
    """Each seed thin, their median thick, the suggested range shaded, the suggested rate marked.

    Args:
        test: The outcome of a range test.
        title: What was trained.
        loss: Name of the loss.
    """
    figure = Drawing(figsize=(7.6, 4.2), layout="constrained")
    axes = figure.add_subplot()
    median, rate = style(0).colour, style(1).colour
    keys: list[Line2D | Patch] = [
        Line2D([], [], color=median, linewidth=2.2, label=f"median of {wording.plural(len(test.seeds), 'seed')}"),
        Line2D([], [], color=FAINT, linewidth=0.8, label="a seed"),
    ]
    for row in test.smoothed:
        axes.plot(test.rates, row, color=FAINT, linewidth=0.8)
    axes.plot(test.rates, test.centre, color=median, linewidth=2.2)
    # Over the whole ramp, wherever the curves end: how much of it was lost is part of the answer.
    log_axis(axes.xaxis, Span(float(test.rates[0]), float(test.rates[-1]), True))
    axes.set_xlim(float(test.rates[0]), float(test.rates[-1]))
    value_axis(axes, _view(test), above=0.06)
    keys += _suggestion(axes, test, rate)
    keys += _diverged(axes, test)
    axes.set(xlabel="learning rate", ylabel=plain(f"{wording.axis(loss, rows='training')}, smoothed"))
    axes.set_title(plain(title))
    figure.legend(handles=keys, loc="outside lower center", ncols=3)
    return figure


def _suggestion(axes: Axes, test: RangeTest, colour: str) -> list[Line2D | Patch]:
    finding, keys = test.finding, list[Line2D | Patch]()
    if finding.range is not None:
        low, high = finding.range
        axes.axvspan(low, high, color=colour, alpha=0.12, linewidth=0, zorder=0)
        keys.append(Patch(color=colour, alpha=0.12, label=f"suggested range {low:g} to {high:g}"))
    if finding.lr is not None:
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
    axes.plot(places, np.ones(len(places)), "x", transform=axes.get_xaxis_transform(), color="black",
              markersize=4.5, clip_on=False, zorder=7)  # fmt: skip
    return [Line2D([], [], color="black", marker="x", markersize=4.5, linestyle="", label="a seed diverged")]


def _view(test: RangeTest) -> Span:
    """From the lowest loss to somewhat above that at the start of the ramp."""
    values = test.smoothed[~np.isnan(test.smoothed)]
    first = test.smoothed[:, : look_back(len(test.rates))]
    if np.isnan(first).all():
        return span(values, fence=False)
    top = float(np.nanmax(first))
    return span(np.minimum(values, top + (HEADROOM - 1) * abs(top)), fence=False)
