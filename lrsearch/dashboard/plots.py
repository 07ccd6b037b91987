"""Plots of a study that can be zoomed and searched in the dashboard: learning curves, and learning rates."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import plotly.graph_objects as go

from lrsearch.report import standings, wording
from lrsearch.report.frames import StudyFrames
from lrsearch.report.palette import Style, styles

MOST_LINES = 8
"""Lines of a plot: the best trial of each type, and the next best ones."""
FEW_DECADES = 3
"""An axis of so many powers of ten has numbers between them."""
_DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot", "dashdot": "dashdot"}


def plots(frames: StudyFrames) -> dict[str, go.Figure]:
    """The plots that the data allow.

    Args:
        frames: The study.

    Returns:
        Name -> plot.
    """
    drawn = {
        "learning_curves": _figure(
            frames, "test_metric", f"Best trials: {wording.test_metric(frames.metric)}", wording.axis(frames.metric)
        ),
        "schedules": _figure(frames, "lr", "Best trials: learning rate", "learning rate"),
    }
    return {name: figure for name, figure in drawn.items() if figure.data}


def best_trials(frames: StudyFrames, most: int) -> list[int]:
    """Numbers of the best trial of each scheduler type, and of the next best of all; best first.

    Args:
        frames: The study.
        most: How many at most.
    """
    ranked = list(standings.ranked(frames)["number"])
    firsts = list(standings.best_of_each(frames)["number"])
    kept = set([*firsts, *(number for number in ranked if number not in firsts)][:most])
    return [int(number) for number in ranked if number in kept]


def _figure(frames: StudyFrames, column: str, title: str, label: str) -> go.Figure:
    looks = styles(standings.schedulers(frames))
    trials = {row["number"]: row for row in frames.trials.to_dict("records")}
    lines = []
    for number in best_trials(frames, MOST_LINES):
        curve = frames.curves[frames.curves["number"] == number]
        epochs, values = curve["epoch"].tolist(), _rounded(curve[column])
        if any(value is not None for value in values):
            trial = trials[number]
            name = f"{wording.scheduler(trial['scheduler'])} ({number})"
            about = f"trial {number}: {wording.describe(trial['params'])}"
            lines.append(_line(name, about, epochs, values, looks[trial["scheduler"]]))
    logarithmic = all(value is None or value > 0 for line in lines for value in line.y)
    layout = {
        "template": {},  # plotly's own would be stored with every plot
        "title": {"text": title},
        "xaxis": {"title": {"text": frames.unit}, "gridcolor": "#e3e3e3"},
        "yaxis": {
            "title": {"text": label},
            "gridcolor": "#e3e3e3",
            "type": "log" if logarithmic else "linear",
            **(_ticks(lines) if lines and logarithmic else {}),
        },
        "plot_bgcolor": "#ffffff",
        "legend": {"orientation": "h", "y": -0.3},
        "hovermode": "closest",
    }
    return go.Figure(data=lines, layout=layout)


def _ticks(lines: list[go.Scatter]) -> dict[str, list[Any]]:
    """Numbers along a logarithmic axis: plotly's own are powers with single digits between them."""
    values = [value for line in lines for value in line.y if value is not None]
    low, high = (round(edge(math.log10(end))) for edge, end in ((math.floor, min(values)), (math.ceil, max(values))))
    steps = (1, 2, 5) if high - low <= FEW_DECADES else (1,)
    ticks = [float(f"{step}e{power}") for power in range(low, high + 1) for step in steps]
    return {"tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def _line(name: str, about: str, epochs: list[int], values: list[float | None], look: Style) -> go.Scatter:
    return go.Scatter(
        x=epochs,
        y=values,
        name=_plain(name),
        text=_plain(about),
        mode="lines",
        line={"color": look.colour, "dash": _DASHES[look.dash]},
    )


def _plain(text: str) -> str:
    """Text from a database as it is: plotly takes some tags in it for markup."""
    return text.replace("<", "‹").replace(">", "›")


def _rounded(values: Iterable[Any]) -> list[float | None]:
    """Five digits are enough for a screen, and a third of the characters to store."""
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in values]
