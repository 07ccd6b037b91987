"""Lines over epochs for the trials that stand for a study: learning rates, and further metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from lrsearch.report import wording
from lrsearch.report.figures.layout import (
    legend,
    name_axes,
    panel_title,
    row_of_panels,
    small_multiples,
    value_axis,
    value_label,
    whole_axis,
)
from lrsearch.report.figures.look import BEHIND, drawn, plain
from lrsearch.report.figures.selection import Curves, Values, all_values, chosen, curves_of, few, line_keys
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import Span, span
from lrsearch.report.palette import Style

ONE_PANEL = 8
"""Up to so many lines fit into one panel."""
LOWEST_RATE = 1e-4
"""A rate below this share of the highest trains nothing, and showing it would flatten the rest."""


@drawn
def best_schedules(frames: StudyFrames) -> Figure:
    """Learning rate of every epoch, for the best trial of each type, or for every trial where they are few.

    Args:
        frames: A study whose trials stored their learning rates.
    """
    return _figure(frames, ["lr"])


@drawn
def extra_metrics(frames: StudyFrames) -> Figure:
    """The metrics that are shown but not optimised, for the best trial of each type.

    Args:
        frames: A study with extra metrics.
    """
    return _figure(frames, frames.extras)


def leaves_out(frames: StudyFrames) -> bool:
    """Whether a rate of `best_schedules` is so low that it lies below the axis.

    Args:
        frames: A study whose trials stored their learning rates.
    """
    values = all_values(curves_of(frames, "lr"), chosen(frames)[0])
    return bool((values <= _floor(values)).any())


def _figure(frames: StudyFrames, columns: Sequence[str]) -> Figure:
    looks, labels = chosen(frames)
    if len(looks) > ONE_PANEL and len(columns) == 1:
        return _panel_per_trial(frames, columns[0], looks, labels)
    return _panel_per_column(frames, columns, looks, labels)


def _panel_per_column(
    frames: StudyFrames, columns: Sequence[str], looks: dict[int, Style], labels: dict[int, str]
) -> Figure:
    figure, panels = row_of_panels(len(columns), 5.0 * len(columns) + 2.6, 3.8)
    for axes, column in zip(panels, columns, strict=True):
        curves = curves_of(frames, column)
        for number, look in looks.items():
            if number in curves:
                axes.plot(*curves[number], color=look.colour, linestyle=look.dash, linewidth=1.8)
        value_axis(axes, _view(curves, looks, column))
        whole_axis(axes)
        axes.set_xlabel(frames.unit)
        value_label(axes, _label(column))
    head = "settings" if few(frames) else "best of each type"
    legend(figure, line_keys(looks, labels), plain(f"{head}: {wording.test_metric(frames.metric)}"))
    return figure


def _panel_per_trial(frames: StudyFrames, column: str, looks: dict[int, Style], labels: dict[int, str]) -> Figure:
    """Small multiples, each with the other trials in grey behind it."""
    curves = curves_of(frames, column)
    behind = [np.column_stack(curves[number]) for number in looks if number in curves]
    figure, panels = small_multiples(list(looks))
    for number, axes in panels.items():
        axes.add_collection(LineCollection(behind, colors=BEHIND, linewidths=0.7))
        if number in curves:
            axes.plot(*curves[number], color=looks[number].colour, linewidth=2.0)
        panel_title(axes, labels[number])
        value_axis(axes, _view(curves, looks, column))
        whole_axis(axes, 6)
    name_axes(figure, list(panels.values()), frames.unit, _label(column))
    return figure


def _view(curves: Curves, looks: dict[int, Style], column: str) -> Span:
    values = all_values(curves, looks)
    floor = _floor(values) if column == "lr" else -math.inf
    return span(values[values > floor], fence=False, log=column == "lr")


def _floor(rates: Values) -> float:
    return float(rates.max(initial=0.0)) * LOWEST_RATE


def _label(column: str) -> str:
    return "learning rate" if column == "lr" else plain(wording.axis(column))
