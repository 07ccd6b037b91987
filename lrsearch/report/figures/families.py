"""What scheduler types look like: a panel each, learning rate against epoch."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrsearch.report.figures.layout import name_axes, panel_title, small_multiples, whole_axis
from lrsearch.report.figures.look import FAINT, drawn, plain
from lrsearch.report.palette import style
from lrsearch.schedules.base import Schedule
from lrsearch.schedules.preview import Example, examples, rates, stalls_at, watches

SMALL = 7.5
"""Size of the letters within a panel."""


@drawn
def families(types: Sequence[type[Schedule]], lr: float, epochs: int, batches: int) -> Figure:
    """A panel per family, with the lowest, the default and the highest value of its first parameter.

    Args:
        types: The families, in reading order.
        lr: Initial learning rate.
        epochs: Epochs of the run.
        batches: Updates in each of them.
    """
    by_name = {family.name: family for family in types}
    figure, panels = small_multiples(list(by_name))
    width, height = figure.get_size_inches()
    figure.set_size_inches(width * 1.1, height * 1.25)  # room for a line of values above each panel
    for name, axes in panels.items():
        _draw(axes, by_name[name], lr, epochs, batches)
    for axes in panels.values():
        axes.set_xlim(0, epochs)
        axes.set_ylim(0, None)
        whole_axis(axes, 5)
    name_axes(figure, list(panels.values()), "epoch", "learning rate")
    return figure


def _draw(axes: Axes, family: type[Schedule], lr: float, epochs: int, batches: int) -> None:
    shown = examples(family)
    for place, example in enumerate(shown):
        begins, values = rates(example.schedule, lr, epochs, batches)
        look = style(place)
        # The last rate holds to the end of the run, and steps are drawn as steps.
        axes.plot([*begins, epochs], [*values, values[-1]], color=look.colour, linewidth=1.4,
                  drawstyle="steps-post", label=_label(example, place), zorder=3 - 0.1 * place)  # fmt: skip
    panel_title(axes, family.name, fontweight="bold", pad=17 if shown[0].parameter else 6)
    if shown[0].parameter:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 0.97), ncols=len(shown), fontsize=SMALL,
                    handlelength=1.0, handletextpad=0.4, columnspacing=0.9, borderpad=0.2)  # fmt: skip
    if watches(family):
        stall = stalls_at(epochs)
        axes.axvline(stall, color=FAINT, linewidth=0.9, linestyle="dashed")
        axes.text(stall * 0.95, 0.5 * lr, f"simulated\nmetric stalls\nat epoch {stall}", fontsize=SMALL,
                  color="#5a5a5a", ha="right", va="center")  # fmt: skip


def _label(example: Example, place: int) -> str:
    if example.parameter is None:
        return ""
    return plain(f"{example.parameter} {example.value:g}" if place == 0 else f"{example.value:g}")
