"""What the HTML page needs to let a person hover trials, switch types off, and follow one trial's curve."""

from __future__ import annotations

import json
import math
from importlib import resources
from typing import Any

import numpy as np

from lrsearch.report import standings, wording
from lrsearch.report.confirmed_rates import confirmed_rates
from lrsearch.report.figures import chosen, few, kept_of
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import Span, span
from lrsearch.report.palette import styles
from lrsearch.report.rate_spans import rate_spans

RATES, CURVES = "lr_against_value.png", "learning_curves.png"
"""Figures that a page can replace by plots."""
MOST_POINTS = 120
"""Points of a curve; a longer one is thinned evenly, its first and last kept."""
MOST_TRIALS = 5000
"""Trials of a page: the best ones to the end, then the others by their numbers."""
SYMBOLS = {"o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down", "P": "cross",
           "*": "star", "<": "triangle-left", ">": "triangle-right", "p": "pentagon", "d": "diamond-tall",
           "h": "hexagon", "8": "octagon", "H": "hexagon2"}  # fmt: skip
"""matplotlib's markers -> plotly's."""
DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot", "dashdot": "dashdot"}


def page_data(frames: StudyFrames) -> dict[str, Any]:
    """Everything that the page's script draws.

    Args:
        frames: The study.

    Returns:
        Plain values, without NaN: types with their looks, trials with their settings and curves, titles and axes.
    """
    names = standings.schedulers(frames)
    looks, rung = styles(names), standings.first_rung(frames)
    trials = _shown(frames)
    early = standings.at_epoch(frames, trials, rung) if rung else None
    rows = trials.to_dict("records")
    confirmed = confirmed_rates(frames)
    curves, kept, (first, last) = _curves(frames), _kept(frames), rate_spans(frames)
    return {
        "types": [
            {"name": wording.scheduler(name), "colour": look.colour, "symbol": SYMBOLS[look.marker],
             "dash": DASHES[look.dash]}
            for name, look in looks.items()
        ],
        "trials": [
            {
                "number": row["number"],
                "type": names.index(row["scheduler"]),
                "state": "diverged" if row["diverged"] else row["state"],
                "about": wording.describe(row["params"]),
                "lr": _number(row["lr"]),
                "early": None if early is None or row["diverged"] else _number(early[place]),
                "lost": bool(rung and row["diverged"] and row["epochs"] <= rung),
                "end": _number(row["value"]) if row["state"] == "complete" and not row["diverged"] else None,
                "curve": curves.get(row["number"], [[], []]),
                "kept": kept.get(row["number"]),
            }
            for place, row in zip(trials.index, rows, strict=True)
        ],
        "best": [int(number) for number in chosen(frames)[0]] if len(standings.ranked(frames)) or few(frames) else [],
        "confirmed": [
            {"lr": found.lr, "about": found.settings, "mean": _number(found.mean), "low": _number(found.low),
             "high": _number(found.high)}
            for found in confirmed
        ],
        "plots": sorted(plotted(frames)),
        "rung": rung,
        "unit": frames.unit,
        "value": wording.axis(frames.metric),
        "lrs": _axis(span([*trials["lr"], *(found.lr for found in confirmed)], fence=False)),
        "rates": {"early": _axis(first), "end": _axis(last), "same": first == last},
        "curves": _axis(_curve_span(frames)),
        "left_out": len(standings.counted(frames)) - len(trials),
    }  # fmt: skip


def plotted(frames: StudyFrames) -> frozenset[str]:
    """The figures that the page replaces by plots: not the curves of few trials, which have labels of their own.

    Args:
        frames: The study.
    """
    return frozenset({RATES} if few(frames) else {RATES, CURVES})


def script() -> str:
    """The page's own script, which draws with plotly's and needs nothing from elsewhere."""
    return (resources.files("lrsearch.report") / "interactive.js").read_text(encoding="utf-8")


def plotly() -> str:
    """Plotly's script, as the installed package has it."""
    return (resources.files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def as_json(data: dict[str, Any]) -> str:
    """Data for a script element, which nothing in it can end.

    Args:
        data: From `page_data`.
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _shown(frames: StudyFrames) -> Any:
    trials = standings.counted(frames)
    trials = trials[trials["state"].isin(["complete", "pruned", "running"])]
    if len(trials) <= MOST_TRIALS:
        return trials
    order = trials.assign(last_first=trials["value"].fillna(np.inf)).sort_values(["state", "last_first", "number"])
    return trials[trials["number"].isin(order["number"].head(MOST_TRIALS))]


def _curves(frames: StudyFrames) -> dict[int, list[list[Any]]]:
    """Trial number -> epochs and values of its curve, thinned."""
    found: dict[int, list[list[Any]]] = {}
    curves = frames.curves[frames.curves["test_metric"].notna()]
    for number, rows in curves.groupby("number"):
        places = np.arange(len(rows))
        if len(rows) > MOST_POINTS:
            places = np.unique(np.linspace(0, len(rows) - 1, MOST_POINTS).round().astype(int))
        epochs, values = rows["epoch"].to_numpy()[places], rows["test_metric"].to_numpy()[places]
        found[int(str(number))] = [[int(epoch) for epoch in epochs], [_number(value) for value in values]]
    return found


def _kept(frames: StudyFrames) -> dict[int, list[Any]]:
    """Trial number -> the epoch that counts, and the value there, for those that keep the best one."""
    found = {}
    for number, epoch in kept_of(frames).items():
        rows = frames.curves[(frames.curves["number"] == number) & (frames.curves["epoch"] == epoch)]
        if len(rows):
            found[number] = [int(epoch), _number(float(rows["test_metric"].iloc[0]))]
    return found


def _curve_span(frames: StudyFrames) -> Span:
    trials = standings.counted(frames)
    steady = trials[~trials["diverged"]]["number"]
    own = frames.curves[frames.curves["number"].isin(steady)]["test_metric"]
    return span(own, maximise=frames.maximise)


def _axis(view: Span) -> dict[str, Any]:
    """Type and range of an axis, as plotly has them: logarithms to base 10."""
    low, high = view.widened(0.05, 0.05)
    if view.log:
        return {"type": "log", "range": [math.log10(low), math.log10(high)]}
    return {"type": "linear", "range": [low, high]}


def _number(value: float) -> float | None:
    """Five digits are enough for a screen."""
    return float(f"{value:.5g}") if math.isfinite(value) else None
