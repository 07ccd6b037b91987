"""The figures of a report. Each function takes the frames and returns a figure, the same for the same frames."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lrsearch.report import standings, wording
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import Span, span
from lrsearch.report.palette import Style, style, styles

DOTS_PER_INCH = 150
FEW_TRIALS = 8
"""Up to so many trials, none of them pruned, every curve gets a label of its own."""
ONE_PANEL = 7
"""Up to so many scheduler types fit into one panel: one for each colour."""
FAINT = "#8c8c8c"

Draw = Callable[[StudyFrames], Figure]
Line = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


@contextmanager
def _look() -> Iterator[None]:
    """Our settings, whatever matplotlibrc this machine has."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "font.size": 9,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.grid": True,
                "axes.axisbelow": True,
                "axes.titlesize": 9,
                "grid.color": "#e3e3e3",
                "grid.linewidth": 0.6,
                "legend.frameon": False,
                "text.parse_math": False,  # names come from a database: a dollar sign is a dollar sign
            }
        )
        yield


def _drawn(draw: Draw) -> Draw:
    @wraps(draw)
    def styled(frames: StudyFrames) -> Figure:
        with _look():
            return draw(frames)

    return styled


def png(figure: Figure) -> bytes:
    """A figure as a PNG file, without the time and the software that made it.

    Args:
        figure: One of this module's.
    """
    file = io.BytesIO()
    with _look():
        figure.savefig(file, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return file.getvalue()


def few(frames: StudyFrames) -> bool:
    """Whether trials are so few, and all trained to the end, that each curve can have a label of its own.

    Args:
        frames: The study.
    """
    states = standings.counted(frames)["state"]
    begun = states[states != "waiting"]
    return 0 < len(begun) <= FEW_TRIALS and not (begun == "pruned").any()


@_drawn
def learning_curves(frames: StudyFrames) -> Figure:
    """Metric after every epoch: a panel per scheduler type, or all in one where trials are few.

    Args:
        frames: A study with curves.
    """
    return _labelled_curves(frames) if few(frames) else _curves_by_type(frames)


def _curves_by_type(frames: StudyFrames) -> Figure:
    trials, lines = standings.counted(frames), _lines(frames, "test_metric")
    looks = styles(standings.schedulers(frames))
    shown = trials[~trials["diverged"] & trials["number"].isin(lines.keys())]["number"]
    values = np.concatenate([lines[number][1] for number in shown] or [np.array([])])
    view = span(values, worse=_worse(frames))
    figure, panels = _panels(list(looks))
    best = dict(standings.best_of_each(frames)[["scheduler", "number"]].itertuples(index=False))
    for name, axes in panels.items():
        mine = standings.of_type(trials, name)
        _draw_type(axes, mine, lines, looks[name], view, best.get(name))
        axes.set_title(_plain(f"{wording.scheduler(name)} ({wording.plural(len(mine), 'trial')})"))
        _value_axis(axes, view, above=0.06)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    figure.supxlabel(_step(frames), fontsize=9)
    figure.supylabel(_plain(wording.axis(frames.metric)), fontsize=9)
    figure.legend(handles=_curve_keys(trials, bool(best)), loc="outside lower center", ncols=4)
    return figure


def _draw_type(
    axes: Axes, mine: pd.DataFrame, lines: dict[int, Line], look: Style, view: Span, best: int | None
) -> None:
    for pruned, dash, shade in ((True, (0, (2.5, 1.5)), 0.45), (False, "solid", 1.0)):
        part = mine[(mine["state"] == "pruned") == pruned]
        points = [np.column_stack(lines[number]) for number in part["number"] if number in lines]
        alpha = shade * min(0.6, max(0.12, 8 / max(len(mine), 1)))
        axes.add_collection(LineCollection(points, colors=look.colour, linewidths=0.8, linestyles=dash, alpha=alpha))
    lost = [lines[number] for number in mine[mine["diverged"]]["number"] if number in lines]
    ends = [(epochs[-1], values[-1]) for epochs, values in lost]
    if ends:
        at, values = zip(*ends, strict=True)
        axes.plot(at, view.clip(values), "x", color="black", markersize=4.5, alpha=0.7, clip_on=False, zorder=4)
    if best in lines:
        axes.plot(*lines[best], color="white", linewidth=3.6, zorder=5)
        axes.plot(*lines[best], color=look.colour, linewidth=2.2, zorder=6)
    axes.autoscale_view(scaley=False)


def _curve_keys(trials: pd.DataFrame, any_best: bool) -> list[Line2D]:
    """The legend of what every panel draws; only what is there."""
    keys = []
    if any_best:
        keys.append(Line2D([], [], color=FAINT, linewidth=2.2, label="best of the type"))
    keys.append(Line2D([], [], color=FAINT, linewidth=0.8, label="other trials"))
    if (trials["state"] == "pruned").any():
        keys.append(Line2D([], [], color=FAINT, linewidth=0.8, linestyle=(0, (2.5, 1.5)), label="pruned"))
    if trials["diverged"].any():
        keys.append(Line2D([], [], color="black", marker="x", markersize=4.5, linestyle="", label="diverged here"))
    return keys


def _labelled_curves(frames: StudyFrames) -> Figure:
    trials = standings.counted(frames)
    trials = trials[trials["state"] != "waiting"]
    labels, looks = _labels(frames, trials), {n: style(i) for i, n in enumerate(trials["number"])}
    names = ["test_metric", *frames.extras[:2]]
    figure = Figure(figsize=(4.4 * len(names) + 2.4, 3.6), layout="constrained")
    for position, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), position + 1)
        train = _lines(frames, "train_metric") if name == "test_metric" else {}
        test = _lines(frames, name)
        kept = trials[~trials["diverged"]]["number"]
        values = [lines[n][1] for lines in (test, train) for n in kept if n in lines]
        view = span(np.concatenate(values or [np.array([])]), worse=_worse(frames), fence=name == "test_metric")
        for number, look in looks.items():
            if number in train:
                axes.plot(*train[number], color=look.colour, linewidth=1.0, linestyle=(0, (3, 1.5)))
            if number in test:
                axes.plot(*test[number], color=look.colour, linewidth=1.8)
        for number in trials[trials["diverged"]]["number"]:
            if number in test:
                epochs, numbers = test[number]
                axes.plot(epochs[-1], view.clip(numbers[-1]), "x", color=looks[number].colour, clip_on=False)
        _value_axis(axes, view)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel=_step(frames), ylabel=_plain(wording.axis(frames.metric if not position else name, rows="")
                                                     if train else wording.axis(name if position else frames.metric)))
    keys = [Line2D([], [], color=looks[n].colour, linewidth=1.8, label=labels[n]) for n in looks]
    if frames.curves["train_metric"].notna().any():
        keys.append(Line2D([], [], color=FAINT, linewidth=1.8, label="test rows"))
        keys.append(Line2D([], [], color=FAINT, linewidth=1.0, linestyle=(0, (3, 1.5)), label="training rows"))
    figure.legend(handles=keys, loc="outside right upper")
    return figure


@_drawn
def lr_against_value(frames: StudyFrames) -> Figure:
    """Initial learning rate against the value at the end, with what was pruned and what diverged.

    Args:
        frames: A study whose trials have a learning rate.
    """
    trials, looks = standings.counted(frames), styles(standings.schedulers(frames))
    view = span(_ends(trials[~trials["diverged"]]), worse=_worse(frames))
    lr_view = span(trials["lr"], fence=False)
    if len(looks) <= ONE_PANEL:
        figure = Figure(figsize=(7.6, 4.6), layout="constrained")
        groups: list[tuple[Axes, list[str | None]]] = [(figure.add_subplot(), list(looks))]
        figure.legend(handles=[*_type_keys(looks), *_state_keys(trials)], loc="outside right upper")
    else:
        figure, panels = _panels(list(looks))
        groups = [(axes, [name]) for name, axes in panels.items()]
        figure.legend(handles=_state_keys(trials), loc="outside lower center", ncols=4)
    for axes, names in groups:
        if len(groups) > 1:
            axes.plot(trials["lr"], view.clip(_ends(trials)), ".", color="#d9d9d9", markersize=2.5, zorder=1)
            axes.set_title(_plain(wording.scheduler(names[0])))
        lost = {name: standings.of_type(trials[trials["diverged"]], name)["lr"] for name in names}
        for name in names:
            _points(axes, standings.of_type(trials, name), "lr", looks[name], view)
        _value_axis(axes, view, above=_diverged_band(axes, lost, looks))
        _log_axis(axes.xaxis, lr_view) if lr_view.log else axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.set_xlim(lr_view.widened(0.04, 0.04))
    _name_axes(figure, groups, "initial learning rate", _plain(wording.axis(frames.metric)))
    return figure


@_drawn
def history(frames: StudyFrames) -> Figure:
    """The value of every trial in the order of numbers, and the best so far.

    Args:
        frames: A study in which a trial has a value.
    """
    trials, looks = standings.counted(frames), styles(standings.schedulers(frames))
    view = span(_ends(trials[~trials["diverged"]]), worse=_worse(frames))
    figure = Figure(figsize=(7.6, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for name, look in looks.items():
        _points(axes, standings.of_type(trials, name), "number", look, view)
    lost = {name: standings.of_type(trials[trials["diverged"]], name)["number"] for name in looks}
    above = _diverged_band(axes, lost, looks)
    finished = standings.ranked(frames).sort_values("number")
    so_far = finished["value"].cummax() if frames.maximise else finished["value"].cummin()
    keys = _type_keys(looks) if len(looks) > 1 else []
    if len(finished):
        last = trials["number"].max()
        axes.step([*finished["number"], last], [*view.clip(so_far), view.clip(so_far.iloc[-1])], where="post",
                  color="black", linewidth=1.2, zorder=3)  # fmt: skip
        keys.append(Line2D([], [], color="black", linewidth=1.2, label="best so far"))
    _value_axis(axes, view, above=above)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="trial number", ylabel=_plain(wording.axis(frames.metric)))
    figure.legend(handles=[*keys, *_state_keys(trials)], loc="outside right upper")
    return figure


@_drawn
def best_schedules(frames: StudyFrames) -> Figure:
    """The learning rate of every epoch, for the best trial of each type, or for every trial where they are few.

    Args:
        frames: A study whose trials stored their learning rates.
    """
    return _chosen_lines(frames, ["lr"])


@_drawn
def extra_metrics(frames: StudyFrames) -> Figure:
    """The metrics that are shown but not optimised, for the best trial of each type.

    Args:
        frames: A study with extra metrics.
    """
    return _chosen_lines(frames, frames.extras)


def _chosen_lines(frames: StudyFrames, columns: Sequence[str]) -> Figure:
    """A panel per column; a line for the best trial of each type, or for every trial where they are few."""
    looks, labels = _chosen(frames)
    figure = Figure(figsize=(5.0 * len(columns) + 2.6, 3.8), layout="constrained")
    for position, column in enumerate(columns):
        axes = figure.add_subplot(1, len(columns), position + 1)
        lines = _lines(frames, column)
        values = np.concatenate([lines[n][1] for n in looks if n in lines] or [np.array([])])
        # A rate that has fallen ten thousandfold trains nothing: lower ones would only flatten the rest.
        floor = values.max(initial=0.0) * 1e-4 if column == "lr" else -math.inf
        view = span(values[values > floor], fence=False)
        for number, look in looks.items():
            if number in lines:
                axes.plot(*lines[number], color=look.colour, linestyle=look.dash, linewidth=1.7)
        _value_axis(axes, view)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel=_step(frames), ylabel="learning rate" if column == "lr" else _plain(wording.axis(column)))
    keys = [
        Line2D([], [], color=look.colour, linestyle=look.dash, linewidth=1.7, label=labels[number])
        for number, look in looks.items()
    ]
    figure.legend(handles=keys, loc="outside right upper")
    return figure


def _chosen(frames: StudyFrames) -> tuple[dict[int, Style], dict[int, str]]:
    """The trials that stand for the study: trial number -> look, and trial number -> label."""
    if few(frames):
        trials = standings.counted(frames)
        trials = trials[trials["state"] != "waiting"]
        return {n: style(i) for i, n in enumerate(trials["number"])}, _labels(frames, trials)
    best, of_type = standings.best_of_each(frames), styles(standings.schedulers(frames))
    rows = list(zip(best["number"], best["scheduler"], best["value"], strict=True))
    looks = {number: of_type[name] for number, name, _ in rows}
    return looks, {n: _plain(f"{wording.scheduler(name)}: {wording.number(v)}") for n, name, v in rows}


def _labels(frames: StudyFrames, trials: pd.DataFrame) -> dict[int, str]:
    """A label per trial from the parameters in which trials differ, with its value."""
    params = list(trials["params"])
    names = list(dict.fromkeys(name for own in params for name in own))
    differ = [name for name in names if len({repr(own.get(name)) for own in params}) > 1]
    labels = {}
    for row in trials.to_dict("records"):
        own = {name: row["params"][name] for name in differ if name in row["params"]}
        words = wording.describe(own) if own else f"trial {row['number']}"
        end = "diverged" if row["diverged"] else wording.number(row["value"])
        labels[row["number"]] = _plain(f"{words}: {end}" if row["state"] == "complete" else words)
    return labels


def _points(axes: Axes, mine: pd.DataFrame, column: str, look: Style, view: Span) -> None:
    """Filled where trained to the end, hollow where pruned, at the last value."""
    mine = mine[~mine["diverged"]]
    done, pruned = mine[mine["state"] == "complete"], mine[mine["state"] == "pruned"]
    size = 6.0 if look.marker == "*" else 4.2
    axes.plot(pruned[column], view.clip(_ends(pruned)), look.marker, color=look.colour, markersize=size - 0.6,
              markerfacecolor="none", markeredgewidth=0.7, alpha=0.55, zorder=2)  # fmt: skip
    axes.plot(done[column], view.clip(_ends(done)), look.marker, color=look.colour, markersize=size,
              markeredgecolor="white", markeredgewidth=0.4, alpha=0.9, zorder=4)  # fmt: skip


def _diverged_band(axes: Axes, lost: dict[str | None, pd.Series[Any]], looks: dict[str | None, Style]) -> float:
    """A grey band along the top with a cross per diverged trial, a row per type.

    Returns:
        The room that the data leave for it, as a share of their span.
    """
    rows = {name: places for name, places in lost.items() if len(places)}
    if not rows:
        return 0.04
    height = 0.05 + 0.028 * len(rows)
    axes.axhspan(1 - height, 1, transform=axes.get_yaxis_transform(), color="#f0f0f0", zorder=0, linewidth=0)
    for row, (name, places) in enumerate(rows.items()):
        level = 1 - height * (row + 0.5) / len(rows)
        axes.plot(places, np.full(len(places), level), "x", transform=axes.get_xaxis_transform(),
                  color=looks[name].colour, markersize=4.2, markeredgewidth=1.0, zorder=4)  # fmt: skip
    return (height + 0.03) / (1 - height - 0.03)


def _type_keys(looks: dict[str | None, Style]) -> list[Line2D]:
    return [
        Line2D([], [], color=look.colour, marker=look.marker, linestyle="", markersize=5,
               label=_plain(wording.scheduler(name)))
        for name, look in looks.items()
    ]  # fmt: skip


def _state_keys(trials: pd.DataFrame) -> list[Line2D]:
    keys = []
    if (trials["state"] == "pruned").any():
        keys.append(Line2D([], [], color=FAINT, marker="o", markerfacecolor="none", markersize=4, linestyle="",
                           label="pruned (hollow)"))  # fmt: skip
    if trials["diverged"].any():
        keys.append(Line2D([], [], color=FAINT, marker="x", markersize=4.5, linestyle="", label="diverged"))
    return keys


def _panels(names: Sequence[str | None]) -> tuple[Figure, dict[str | None, Axes]]:
    """Small multiples with shared axes, a panel per type."""
    columns = len(names) if len(names) <= 3 else 2 if len(names) == 4 else 3 if len(names) <= 6 else 4
    rows = math.ceil(len(names) / columns)
    wide = 4.0 if columns < 3 else 3.1 if columns == 3 else 2.5
    figure = Figure(figsize=(max(wide * columns, 5.5), max(1.9, 0.68 * wide) * rows + 0.7), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for position, axes in enumerate(grid.flat):
        if position >= len(names):
            axes.remove()
        elif position + columns >= len(names):
            axes.tick_params(labelbottom=True)  # nothing below it, although it may not be in the last row
    return figure, dict(zip(names, grid.flat, strict=False))


def _name_axes(figure: Figure, groups: Sequence[tuple[Axes, Any]], below: str, left: str) -> None:
    if len(groups) == 1:
        groups[0][0].set(xlabel=below, ylabel=left)
    else:
        figure.supxlabel(below, fontsize=9)
        figure.supylabel(left, fontsize=9)


def _value_axis(axes: Axes, view: Span, above: float = 0.04) -> None:
    if view.log:
        _log_axis(axes.yaxis, view)
    axes.set_ylim(view.widened(0.04, above))


def _log_axis(axis: Any, view: Span) -> None:
    decades = math.log10(view.high / view.low)
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2.5 else (1.0,), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _ends(trials: pd.DataFrame) -> pd.Series[Any]:
    """The last value of each trial: what it was told, or else the last it reported."""
    return trials["value"].where(trials["value"].notna(), trials["last"])


def _lines(frames: StudyFrames, column: str) -> dict[int, Line]:
    """Trial number -> (epochs, values) of a curve, where values are finite."""
    curves = frames.curves
    curves = curves[np.isfinite(curves[column])]
    numbers, starts = np.unique(curves["number"].to_numpy(), return_index=True)
    epochs = np.split(curves["epoch"].to_numpy(dtype=float), starts[1:])
    values = np.split(curves[column].to_numpy(dtype=float), starts[1:])
    return {int(n): (e, v) for n, e, v in zip(numbers, epochs, values, strict=False)}


def _worse(frames: StudyFrames) -> str:
    return "low" if frames.maximise else "high"


def _step(frames: StudyFrames) -> str:
    return "epoch" if frames.definition else "step"


def _plain(text: str) -> str:
    """Text from a database in one line of at most 60 characters, all of which the font has."""
    font = get_font(findfont("DejaVu Sans"))
    line = "".join(char if char.isprintable() and font.get_char_index(ord(char)) else "?" for char in text)
    return line if len(line) <= 60 else line[:59] + "…"


def _finite(values: Iterable[float]) -> bool:
    return any(math.isfinite(value) for value in values)
