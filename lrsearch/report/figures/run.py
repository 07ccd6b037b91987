"""A single run: its learning curves, and the learning rate below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrsearch.report import wording
from lrsearch.report.figures.layout import NARROW, is_narrow, panel_title, value_axis, value_label, whole_axis
from lrsearch.report.figures.look import SHORT_DASHES, Drawing, drawn, plain
from lrsearch.report.limits import span
from lrsearch.report.palette import style


@drawn
def training_run(
    epochs: Mapping[str, Sequence[float]],
    metric: str,
    title: str,
    *,
    extras: Mapping[str, Sequence[float]] | None = None,
    before: tuple[float, float] | None = None,
    maximise: bool = False,
    kept: float | None = None,
    unit: str = "epoch",
) -> Figure:
    """Metric on training and test rows after every epoch, a panel per further metric, and the rates below.

    Args:
        epochs: ``lr``, ``train`` and ``test``, a number per epoch each.
        metric: Name of the metric.
        title: What was trained.
        extras: Name of each further metric on the test rows -> a number per epoch.
        before: Metric on training and test rows before training, if the run diverged: it was judged against them.
        maximise: Whether larger values of the metric are better.
        kept: The epoch that counts, if that may be another than the last; it gets a ring.
        unit: What the numbers count.
    """
    extras = extras or {}
    figure = Drawing(figsize=(NARROW if is_narrow() else 6.4, 4.6 + 1.4 * len(extras)), layout="constrained")
    heights = [2.2, *(1.0 for _ in extras), 1.0]
    first, *others, below = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _draw_metric(first, epochs, metric, before, maximise)
    if kept is not None and 1 <= kept <= len(epochs["test"]):
        first.plot([kept], [epochs["test"][int(kept) - 1]], "o", color=style(0).colour, markerfacecolor="white",
                   markersize=6, markeredgewidth=1.6, zorder=7)  # fmt: skip
    for axes, (name, values) in zip(others, extras.items(), strict=True):
        _draw(axes, values, style(0).colour, 1.8)
        value_axis(axes, span(values, fence=False, log=False))
        axes.set_ylabel(plain(wording.axis(name)).replace(" (", "\n("))
    _draw_rates(below, epochs["lr"], unit)
    panel_title(first, title, loc="left")
    figure.align_ylabels()
    return figure


def _draw_metric(
    axes: Axes,
    epochs: Mapping[str, Sequence[float]],
    metric: str,
    before: tuple[float, float] | None,
    maximise: bool,
) -> None:
    look = style(0)
    start = before or ()
    train, test = ([*start[place : place + 1], *epochs[name]] for place, name in enumerate(("train", "test")))
    _draw(axes, train, look.colour, 1.1, dash=SHORT_DASHES, first=1 - bool(start))
    _draw(axes, test, look.colour, 1.8, first=1 - bool(start))
    # A run that exploded shows what came before; any other shows all of itself.
    value_axis(axes, span([*train, *test], maximise=maximise, fence=before is not None))
    value_label(axes, wording.axis(metric, rows=""))
    keys = [
        Line2D([], [], color=look.colour, linewidth=1.8, label="test rows"),
        Line2D([], [], color=look.colour, linewidth=1.1, linestyle=SHORT_DASHES, label="training rows"),
    ]
    if before is not None:
        axes.plot([len(epochs["test"])], [1.0], "x", transform=axes.get_xaxis_transform(), color="black",
                  markersize=5, clip_on=False, zorder=7)  # fmt: skip
        keys.append(Line2D([], [], color="black", marker="x", markersize=5, linestyle="", label="diverged"))
    axes.legend(handles=keys, loc="best")


def _draw_rates(axes: Axes, rates: Sequence[float], unit: str) -> None:
    """The rate of epoch n stands between n - 1 and n: it is what led to the metric at n."""
    axes.step(np.arange(len(rates) + 1), [*rates[:1], *rates], where="pre", color=style(1).colour, linewidth=1.8)
    value_axis(axes, span(rates, fence=False), above=0.08)
    if len(set(rates)) == 1:
        axes.set_yticks([rates[0]], [wording.number(rates[0])])
    axes.set(xlabel=unit, ylabel="learning rate")
    axes.set_xlim(0, max(len(rates), 1))
    whole_axis(axes)


def _draw(
    axes: Axes, values: Sequence[float], colour: str, width: float, *, dash: object = "solid", first: int = 1
) -> None:
    """A curve from epoch `first` on, through the numbers there are; a single one, which has no line, as a dot."""
    marker = "o" if np.isfinite(values).sum() == 1 else ""
    places, shown = np.arange(first, first + len(values)), ~np.isnan(values)
    axes.plot(places[shown], np.asarray(values)[shown], color=colour, linewidth=width, linestyle=dash, marker=marker)
