"""Learning rate against the metric: all trials where the first was pruned, and those that reached the end, there."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrsearch.report import standings, wording
from lrsearch.report.confirmed_rates import ConfirmedRate, confirmed_rates
from lrsearch.report.figures.layout import legend, log_axis, row_of_panels, value_axis, value_label
from lrsearch.report.figures.look import drawn
from lrsearch.report.figures.marks import FILLED, HOLLOW, draw_diverged, draw_marks, state_keys, type_keys
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import span
from lrsearch.report.palette import styles
from lrsearch.report.rate_spans import rate_spans

CONFIRMED: dict[str, Any] = {"color": "black", "linewidth": 1.3, "zorder": 5}


@drawn
def lr_against_value(frames: StudyFrames) -> Figure:
    """Initial learning rate against the metric, in two panels; in one where nothing was pruned.

    To the left all trials after the epoch at which the first was pruned: there they can be compared. To the right those
    that reached the end, and the means of what was confirmed, on the same rows.

    Args:
        frames: A study whose trials have a learning rate.
    """
    trials, looks = standings.counted(frames), styles(standings.schedulers(frames))
    rung = standings.first_rung(frames)
    early = trials.assign(level=standings.at_epoch(frames, trials, rung)) if rung else trials.iloc[:0]
    ended = trials[trials["state"] == "complete"].assign(level=lambda rows: rows["value"])
    confirmed = confirmed_rates(frames)
    first, last = rate_spans(frames)
    figure, panels = row_of_panels(2 if rung else 1, 9.6 if rung else 7.6, 4.6, share="xy" if first == last else "x")
    above, beyond = 0.04, 0
    if rung:
        early_lost = early[early["diverged"] & (early["epochs"] <= rung)]
        pruned, went_on = early["state"] == "pruned", ~early["diverged"]
        beyond += draw_marks(panels[0], early[pruned & went_on], "lr", "level", looks, first, HOLLOW, len(trials))
        beyond += draw_marks(panels[0], early[~pruned & went_on], "lr", "level", looks, first, FILLED, len(trials))
        above = draw_diverged(panels[0], early_lost, "lr", looks)
        shown = int(early[went_on]["level"].notna().sum())
        panels[0].set_title(f"after {frames.unit} {rung}: all {wording.plural(shown, 'trial')}", loc="left")
        panels[-1].set_title(f"at the end: {wording.plural(int((~ended['diverged']).sum()), 'trial')}", loc="left")
    beyond += draw_marks(panels[-1], ended[~ended["diverged"]], "lr", "level", looks, last, FILLED, len(trials))
    above = max(above, draw_diverged(panels[-1], ended[ended["diverged"]], "lr", looks))
    _draw_confirmed(panels[-1], confirmed)
    _axes(frames, panels, trials, confirmed)
    value_axis(panels[0], first, above)
    value_axis(panels[-1], last, above)
    keys = state_keys(pruned=bool(rung), diverged=bool(trials["diverged"].any()), beyond=beyond)
    legend(figure, [*type_keys(looks), *keys, *_confirmed_key(confirmed)])
    return figure


def _axes(frames: StudyFrames, panels: Any, trials: pd.DataFrame, confirmed: list[ConfirmedRate]) -> None:
    rates = span([*trials["lr"], *(found.lr for found in confirmed)], fence=False)
    if rates.log:
        log_axis(panels[0].xaxis, rates)
    panels[0].set_xlim(rates.widened(0.04, 0.04))
    value_label(panels[0], wording.axis(frames.metric))
    for axes in panels:
        axes.set_xlabel("initial learning rate")


def _draw_confirmed(axes: Axes, confirmed: list[ConfirmedRate]) -> None:
    for found in confirmed:
        axes.plot([found.lr] * 2, [found.low, found.high], **CONFIRMED)
        axes.plot([found.lr], [found.mean], "_", **{**CONFIRMED, "markersize": 9, "markeredgewidth": 2.0})


def _confirmed_key(confirmed: list[ConfirmedRate]) -> list[Line2D]:
    if not confirmed:
        return []
    return [Line2D([], [], color="black", marker="_", markersize=8, markeredgewidth=2, linestyle="",
                   label="mean on fresh seeds, 95 % interval")]  # fmt: skip
