"""Several runs side by side: a colour each, training rows to the left, test rows to the right."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrsearch.report import wording
from lrsearch.report.figures.layout import legend, value_axis, value_label, whole_axis
from lrsearch.report.figures.look import Drawing, drawn, plain
from lrsearch.report.limits import Span, span
from lrsearch.report.palette import style

Runs = Mapping[str, Mapping[str, Sequence[float]]]


@drawn
def compared_runs(
    runs: Runs, metric: str, diverged: Collection[str] = (), *, maximise: bool = False, unit: str = "epoch"
) -> Figure:
    """Metric on training and on test rows, both with the same axis; rates in a third panel if they change.

    Args:
        runs: Label -> ``lr``, ``train`` and ``test``, a number per epoch each.
        metric: Name of the metric.
        diverged: Labels of the runs that diverged; a cross marks where, and the axis is made for the others.
        maximise: Whether larger values of the metric are better.
        unit: What the numbers count.
    """
    rates = any(len(set(curves["lr"])) > 1 for curves in runs.values())
    figure = Drawing(figsize=(3.5 * (2 + rates) + 1.6, 3.6), layout="constrained")
    panels = figure.subplots(1, 2 + rates)
    view = _view(runs, ("train", "test"), diverged, maximise=maximise)
    for axes, name, rows in zip(panels, ("train", "test"), ("training", "test"), strict=False):
        _draw(axes, runs, name, view, diverged)
        axes.set_title(f"{rows} rows", loc="left")
        value_label(axes, wording.axis(metric, rows=""))
    for axes in panels:
        axes.set_xlabel(unit)
    if rates:
        _draw(panels[-1], runs, "lr", _view(runs, ("lr",), ()), ())
        panels[-1].set_title("learning rate", loc="left")
    keys = [Line2D([], [], color=style(i).colour, linestyle=style(i).dash, linewidth=1.8, label=plain(label))
            for i, label in enumerate(runs)]  # fmt: skip
    if diverged:
        keys.append(Line2D([], [], color="black", marker="x", markersize=5, linestyle="", label="diverged"))
    legend(figure, keys)
    return figure


def _view(runs: Runs, names: Sequence[str], diverged: Collection[str], *, maximise: bool = False) -> Span:
    steady = [curves for label, curves in runs.items() if label not in diverged] or list(runs.values())
    shown = np.concatenate([curves[name] for curves in steady for name in names])
    return span(shown, maximise=maximise, fence=False)


def _draw(axes: Axes, runs: Runs, name: str, view: Span, diverged: Collection[str]) -> None:
    for place, (label, curves) in enumerate(runs.items()):
        look, values = style(place), curves[name]
        marker = "o" if len(values) == 1 else ""  # one number has no line
        axes.plot(range(1, len(values) + 1), values, color=look.colour, linestyle=look.dash, linewidth=1.6,
                  marker=marker, drawstyle="steps-mid" if name == "lr" else "default")  # fmt: skip
        if label in diverged:
            axes.plot([len(values)], [1.0], "x", transform=axes.get_xaxis_transform(), color=look.colour,
                      markersize=6, clip_on=False, zorder=7)  # fmt: skip
    value_axis(axes, view)
    whole_axis(axes)
