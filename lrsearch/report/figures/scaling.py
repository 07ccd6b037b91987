"""Scaling: the valley of each rung, and the line through their lowest points with its band."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrsearch.report.figures.layout import log_axis, panel_title
from lrsearch.report.figures.look import BAND, FAINT, Drawing, drawn, plain
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import Span
from lrsearch.report.palette import style
from lrsearch.study.scaling.answer import TypeAnswer
from lrsearch.study.scaling.scaled import Scaled


@drawn
def scaling(found: Scaled) -> Figure:
    """A row for each type: to the left the rungs' means against the rate, to the right the best rates and the line.

    Args:
        found: At least one type has runs.
    """
    figure = Drawing(figsize=(7.6, 3.6 * len(found.types)), layout="constrained")
    panels = figure.subplots(len(found.types), 2, squeeze=False)
    for own, (valleys, line) in zip(found.types, panels, strict=True):
        _valleys(valleys, own)
        _line(line, own)
    return figure


def scaled_study(frames: StudyFrames) -> Figure:
    """The same, for a report.

    Args:
        frames: A study whose short runs were trained.
    """
    assert frames.scale is not None
    return scaling(frames.scale.found)


def _valleys(axes: Axes, own: TypeAnswer) -> None:
    for place, rung in enumerate(own.rungs):
        finite = np.isfinite(rung.means)
        values = np.abs(rung.means[finite])  # a metric that is maximised is kept with its sign turned
        look = style(place)
        axes.plot(rung.rates[finite], values, "o-", color=look.colour, markersize=3.5, linewidth=1.4,
                  label=plain(f"{own.axis} {rung.at:g}"))  # fmt: skip
        if own.valleys:
            axes.axvline(np.exp(own.valleys[place].optimum), color=look.colour, linewidth=0.9, linestyle="dashed")
    rates = np.concatenate([rung.rates for rung in own.rungs])
    log_axis(axes.xaxis, Span(float(rates.min()), float(rates.max()), True))
    axes.set_xlabel("learning rate")
    axes.set_ylabel("value, mean over seeds")
    panel_title(axes, f"{own.scheduler}: {own.verdict}")
    axes.legend()


def _line(axes: Axes, own: TypeAnswer) -> None:
    if not own.valleys or own.law is None:
        axes.set_axis_off()  # there is no line
        return
    axes.set_xlabel(plain(own.axis))
    axes.set_ylabel("best learning rate")
    ats = np.array([valley.rung.at for valley in own.valleys])
    optima = np.array([valley.optimum for valley in own.valleys])
    sides = own.law.sides
    grid = np.geomspace(ats.min(), own.to, 60)
    band = np.array([own.law.interval(float(at)) for at in grid])
    axes.fill_between(grid, band[:, 0], band[:, 1], color=BAND, label="95 % band")
    axes.plot(grid, [np.exp(own.law.place(float(at))) for at in grid], color=FAINT, linewidth=1.4, label="line")
    centre = np.exp(optima)
    reach = np.stack([centre - np.exp(optima - sides), np.exp(optima + sides) - centre])
    axes.errorbar(ats, centre, reach, fmt="o", color=style(0).colour, markersize=4, capsize=2, label="best of a rung")
    if own.prediction is not None:
        axes.plot([own.to], [own.prediction.lr], "D", color=style(1).colour, label="prediction")
    log_axis(axes.xaxis, Span(float(ats.min()), own.to, True))
    log_axis(axes.yaxis, Span(float(min(band.min(), *centre)), float(max(band.max(), *centre)), True))
    axes.legend()
