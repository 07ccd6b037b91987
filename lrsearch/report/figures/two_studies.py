"""Two studies side by side: how fast each found something, and what its recommended settings came to."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrsearch.report import standings, wording
from lrsearch.report.figures.finalists import MEAN
from lrsearch.report.figures.layout import folded, legend_above, row_of_panels, value_axis, value_label, whole_axis
from lrsearch.report.figures.look import drawn, plain
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import span
from lrsearch.report.palette import Style, style
from lrsearch.study.evidence import Evidence


@drawn
def two_studies(first: StudyFrames, second: StudyFrames) -> Figure:
    """Best value so far against trials and, where both were confirmed, fresh seeds of the recommended settings.

    Args:
        first: A study in which a trial was trained to the end.
        second: Another one with the same metric.
    """
    both = (first, second)
    evidence = [found for frames in both if (found := frames.evidence) is not None and found.complete]
    confirmed = len(evidence) == len(both)
    figure, panels = row_of_panels(2 if confirmed else 1, 9.0 if confirmed else 6.0, 4.2)
    _best_so_far(panels[0], both)
    if confirmed:
        _recommended(panels[1], both, evidence)
    looks = [style(place) for place in range(len(both))]
    keys = [
        Line2D([], [], color=look.colour, linestyle=look.dash, marker=look.marker if confirmed else "",
               label=plain(frames.name))
        for look, frames in zip(looks, both, strict=True)
    ]  # fmt: skip
    legend_above(figure, keys)
    return figure


def _best_so_far(axes: Axes, both: tuple[StudyFrames, StudyFrames]) -> None:
    levels: list[float] = []
    for place, frames in enumerate(both):
        finished = standings.ranked(frames).sort_values("number")
        best = (finished["value"].cummax() if frames.maximise else finished["value"].cummin()).to_numpy()
        if len(best):
            look, last = style(place), standings.counted(frames)["number"].max()
            # The second is drawn thinner, on top: where both are the same, both are seen.
            line: dict[str, Any] = {"color": look.colour, "linestyle": look.dash, "linewidth": (3.4, 1.4)[place]}
            axes.step([*finished["number"], last], [*best, best[-1]], where="post", **line)
            levels.extend(best)
    # Whole, from the first value on: the best values alone would show a hundredth between them as a cliff.
    value_axis(axes, span(levels, maximise=both[0].maximise, fence=False))
    whole_axis(axes)
    axes.set_xlabel("trial number")
    value_label(axes, f"best {wording.axis(both[0].metric)} so far")


def _recommended(axes: Axes, both: tuple[StudyFrames, StudyFrames], evidence: list[Evidence]) -> None:
    for place, found in enumerate(evidence):
        look: Style = style(place)
        values = found.recommended.values
        axes.plot(
            np.full(len(values), place), values, look.marker, color=look.colour, alpha=0.6, markersize=5, zorder=2
        )
        interval = found.interval(found.recommended)
        axes.plot([place, place], [interval.low, interval.high], **MEAN)
        axes.plot([place], [interval.mean], "_", **{**MEAN, "markersize": 16, "markeredgewidth": 2.2})
    room = axes.bbox.width / axes.figure.dpi / len(both)
    axes.set_xticks(range(len(both)), [folded(plain(frames.name), room) for frames in both])
    axes.set_xlim(-0.6, len(both) - 0.4)
    shown = [value for found in evidence for value in found.recommended.values]
    limits = [found.interval(found.recommended) for found in evidence]
    shown += [limit for interval in limits for limit in (interval.low, interval.high)]
    value_axis(axes, span(shown, maximise=both[0].maximise, fence=False))
    axes.grid(False, axis="x")
    axes.set_xlabel("recommended settings, fresh seeds")
    value_label(axes, wording.axis(both[0].metric, evidence[0].rows))
