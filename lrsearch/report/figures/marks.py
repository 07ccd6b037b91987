"""Marks of trials in a panel: one each, a row of crosses for those that diverged, and the keys that explain them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.path import Path

from lrsearch.report import standings, wording
from lrsearch.report.figures.look import BAND, FAINT, plain
from lrsearch.report.limits import Span
from lrsearch.report.palette import Style

ROWS_OF_CROSSES = 7
"""Up to so many scheduler types get a row of their own for trials that diverged."""
HOLLOW: dict[str, Any] = {"markerfacecolor": "none", "markeredgewidth": 0.7, "alpha": 0.55, "zorder": 2}
FILLED: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.4, "alpha": 0.95, "zorder": 4}
CROWD = 1000
"""Trials from which on marks lie on each other: each is drawn smaller, and lets others through."""
CROWDED: dict[str, Any] = {"markeredgewidth": 0.3, "alpha": 0.5}
BEYOND: dict[str, Any] = {"alpha": 0.8, "zorder": 3}
_ARROW = [(0, 1), (0.6, 0.3), (0.2, 0.3), (0.2, -1), (-0.2, -1), (-0.2, 0.3), (-0.6, 0.3)]
UPWARDS, DOWNWARDS = (Path([(x, way * y) for x, y in _ARROW]) for way in (1, -1))
"""Arrows, which no type has as its marker, and which say where a mark lies."""
Looks = dict[str | None, Style]


def draw_marks(
    axes: Axes,
    trials: pd.DataFrame,
    places: str,
    levels: str,
    looks: Looks,
    view: Span,
    kind: dict[str, Any],
    many: int | None = None,
) -> int:
    """A mark per trial, in the look of its type; one that lies beyond the axis becomes an arrow at its edge.

    Args:
        axes: The panel.
        trials: Whose; those without a number are passed over.
        places: Column along the horizontal axis.
        levels: Column along the vertical axis.
        looks: Scheduler type -> look.
        view: What the vertical axis shows.
        kind: `HOLLOW` or `FILLED`.
        many: For how many trials the marks are made, where others stand in the same figure; None for these alone.

    Returns:
        How many lie beyond the axis.
    """
    many, beyond = len(trials) if many is None else many, 0
    size, kind = _size(many), kind | CROWDED if many > CROWD else kind
    trials = trials[trials[levels].notna() & trials[places].notna()]
    for name, look in looks.items():
        mine = standings.of_type(trials, name)
        inside = mine[levels].between(view.low, view.high)
        shown, out = mine[inside], mine[~inside]
        larger = size + (1.8 if look.marker == "*" else 0.0)
        axes.plot(shown[places], shown[levels], look.marker, color=look.colour, markersize=larger, **kind)
        for high, marker, edge in ((True, UPWARDS, view.high), (False, DOWNWARDS, view.low)):
            gone = out[(out[levels] > view.high) == high]
            axes.plot(gone[places], np.full(len(gone), edge), linestyle="", marker=marker, color=look.colour,
                      markersize=1.5 * size, **BEYOND)  # fmt: skip
        beyond += len(out)
    return beyond


def draw_diverged(axes: Axes, lost: pd.DataFrame, places: str, looks: Looks) -> float:
    """A grey band along the top with a cross per diverged trial, a row per type as long as there are few types.

    Args:
        axes: The panel.
        lost: The trials that diverged.
        places: Column along the horizontal axis.
        looks: Scheduler type -> look.

    Returns:
        The room that the values must leave for it, as a share of their span.
    """
    there = [name for name in looks if len(standings.of_type(lost, name))]
    if not there:
        return 0.04
    rows = len(there) if len(looks) <= ROWS_OF_CROSSES else 1
    height = 0.05 + 0.028 * rows
    band = Rectangle((0, 1 - height), 1, height, transform=axes.transAxes, color=BAND, zorder=0.5, linewidth=0)
    axes.add_patch(band)
    for position, name in enumerate(there):
        mine = standings.of_type(lost, name)[places]
        levels = np.full(len(mine), 1 - height * (position % rows + 0.5) / rows)
        axes.plot(mine, levels, "x", transform=axes.get_xaxis_transform(), color=looks[name].colour,
                  markersize=4.2, markeredgewidth=1.0, zorder=4)  # fmt: skip
    return (height + 0.03) / (1 - height - 0.03)


def type_keys(looks: Looks) -> list[Line2D]:
    """The legend of types; none where there is nothing to tell apart.

    Args:
        looks: Scheduler type -> look.
    """
    if len(looks) < 2:
        return []
    return [
        Line2D([], [], color=look.colour, marker=look.marker, linestyle="", markersize=5,
               label=plain(wording.scheduler(name)))
        for name, look in looks.items()
    ]  # fmt: skip


def state_keys(*, pruned: bool, diverged: bool, beyond: int) -> list[Line2D]:
    """What hollow marks, crosses and arrows mean; only of what is there.

    Args:
        pruned: Whether trials that were pruned are drawn hollow.
        diverged: Whether trials diverged.
        beyond: How many marks lie beyond the axis.
    """
    keys = []
    if pruned:
        keys.append(_key("o", "pruned later (hollow)", markerfacecolor="none"))
    if diverged:
        keys.append(_key("x", "diverged"))
    if beyond:
        keys.append(_key(UPWARDS, f"beyond the axis ({beyond})", markersize=7))
    return keys


def _key(marker: Any, label: str, **more: Any) -> Line2D:
    return Line2D(
        [], [], **{"color": FAINT, "marker": marker, "markersize": 4.5, "linestyle": "", "label": label, **more}
    )


def _size(trials: int) -> float:
    """In points: the more marks, the smaller each."""
    return 6.5 if trials <= 10 else 5.2 if trials <= 100 else 4.2 if trials <= CROWD else 2.8
