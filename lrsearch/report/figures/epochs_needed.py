"""Error against epochs: what each number of epochs could have had."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrsearch.report import standings, wording
from lrsearch.report.epoch_cost import best_by_epoch, epoch_cost
from lrsearch.report.figures.layout import legend, log_axis, row_of_panels, value_axis, value_label
from lrsearch.report.figures.look import FAINT, drawn, plain
from lrsearch.report.frames import StudyFrames
from lrsearch.report.limits import Span, span
from lrsearch.report.palette import styles


@drawn
def epochs_needed(frames: StudyFrames) -> Figure:
    """The best over trials after each number of epochs, a line per scheduler type; half and all epochs are marked.

    Args:
        frames: A study with something to choose from; see `epoch_cost.best_by_epoch`.
    """
    best, looks, keys = best_by_epoch(frames), styles(standings.schedulers(frames)), []
    figure, (axes,) = row_of_panels(1, 7.6, 3.8)
    for name, look in looks.items():
        mine = standings.of_type(best, name)
        if len(mine):
            axes.plot(mine["epoch"], mine["best"], color=look.colour, linestyle=look.dash, linewidth=1.6)
            label = plain(wording.scheduler(name))
            keys.append(Line2D([], [], color=look.colour, linestyle=look.dash, linewidth=1.6, label=label))
    if (found := epoch_cost(frames)) is not None:
        for epoch, value in ((found.half, found.at_half), (found.whole, found.at_end)):
            axes.axvline(epoch, color=FAINT, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
            axes.plot([epoch], [value], "o", color="black", markersize=5, zorder=5)
        keys.append(
            Line2D([], [], color="black", marker="o", markersize=5, linestyle="", label="best after half and all")
        )
    log_axis(axes.xaxis, Span(1.0, max(float(best["epoch"].max()), 2.0), True))
    value_axis(axes, span(best["best"], maximise=frames.maximise))
    axes.set_xlabel(f"{frames.unit}s")
    value_label(axes, f"best {wording.axis(frames.metric)}")
    legend(figure, keys)
    return figure
