"""Panels, axes and legends."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TypeVar

import matplotlib.ticker as ticks
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lrsearch.report.figures.log_numbers import LogNumbers
from lrsearch.report.figures.look import Drawing, plain
from lrsearch.report.limits import Span

Name = TypeVar("Name")

NARROW = 4.3
"""Width of a figure for a narrow page, in inches."""
_narrow: ContextVar[bool] = ContextVar("figures are made for a narrow page", default=False)
LETTER = 0.072
"""Width of a letter of 9 points, in inches; few words have wider ones on average."""
SIDE, GAP = 0.75, 0.12
"""Room for the numbers and the label of the vertical axis, and between panels, in inches."""
OUTWARDS = 1.2
"""A label may be so much longer than its panel is before the layout has given it the room of the margins."""
KEY = 0.55
"""Width of what stands before a legend's label, with the gap to the next, in inches."""
FEWEST_LETTERS = 12
SMALLEST = 1e-5
"""Smallest number that an axis writes without a power of ten."""
LONG_LABEL = 36
"""Characters of a legend entry that fit beside a panel."""


@contextmanager
def narrow() -> Iterator[None]:
    """Within it, figures are made for a narrow page, such as a phone's: panels below each other, legends below."""
    token = _narrow.set(True)
    try:
        yield
    finally:
        _narrow.reset(token)


def is_narrow() -> bool:
    """Whether figures are made for a narrow page."""
    return _narrow.get()


def row_of_panels(
    count: int, width: float, height: float, ratios: Sequence[float] | None = None, *, share: str = ""
) -> tuple[Figure, list[Axes]]:
    """A figure with panels side by side; on a narrow page below each other.

    Args:
        count: How many.
        width: Of the figure with all of them, in inches.
        height: Of a panel.
        ratios: Their widths.
        share: Which axes they share: x, y, both letters, or none.

    Returns:
        The figure and its panels.
    """
    shared: dict[str, Any] = {"sharex": "x" in share, "sharey": "y" in share, "squeeze": False}
    if is_narrow():
        figure = Drawing(figsize=(NARROW, 0.8 * height * count), layout="constrained")
        panels = list(figure.subplots(count, 1, **shared)[:, 0])
        for axes in panels:
            axes.tick_params(labelbottom=True)  # each has a label of its own below it, and needs the numbers, too
        return figure, panels
    figure = Drawing(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(1, count, width_ratios=ratios, **shared)[0])


def small_multiples(names: Sequence[Name]) -> tuple[Figure, dict[Name, Axes]]:
    """A figure with a panel per name; the panels share their axes.

    Args:
        names: What the panels are about, in reading order.

    Returns:
        The figure, and name -> panel.
    """
    columns = len(names) if len(names) <= 3 else 2 if len(names) == 4 else 3 if len(names) <= 6 else 4
    columns = min(columns, 1 if len(names) <= 4 else 2) if is_narrow() else columns
    rows = math.ceil(len(names) / columns)
    wide = 4.0 if columns < 3 else 3.1 if columns == 3 else 2.5
    size = (max(wide * columns, 5.5), max(1.9, 0.68 * wide) * rows + 0.7)
    size = (NARROW, (2.3 if columns == 1 else 1.7) * rows + 0.9) if is_narrow() else size
    figure = Drawing(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for position, axes in enumerate(grid.flat):
        if position >= len(names):
            axes.remove()
        elif position + columns >= len(names):
            axes.tick_params(labelbottom=True)  # nothing below it, although it may not be in the last row
    return figure, dict(zip(names, grid.flat, strict=False))


def name_axes(figure: Figure, panels: Sequence[Axes], below: str, left: str) -> None:
    """Label the axes: once for all where there are several panels.

    Args:
        figure: The figure.
        panels: All its panels, with the same axes.
        below: What lies along the horizontal axis.
        left: What lies along the vertical one.
    """
    if len(panels) == 1:
        panels[0].set(xlabel=below, ylabel=left)
    else:
        figure.supxlabel(below, fontsize=9)
        figure.supylabel(left, fontsize=9)


def value_label(axes: Axes, text: str) -> None:
    """Say what the values are; where the axis is short, the unit stands in a line of its own.

    Args:
        axes: Where.
        text: As `wording.axis` gives it.
    """
    shown = plain(text).replace(" (", "\n(") if is_narrow() else plain(text)
    axes.set_ylabel(folded(shown, OUTWARDS * axes.bbox.height / axes.figure.dpi))


def panel_title(axes: Axes, text: str, **more: Any) -> None:
    """Say above a panel what it shows, in as many lines as its width asks for.

    Args:
        axes: The panel.
        text: What it shows; it may come from a database.
        more: What `Axes.set_title` takes.
    """
    grid = axes.get_subplotspec()
    columns = 1 if grid is None else grid.get_gridspec().ncols
    axes.set_title(folded(plain(text), (axes.figure.bbox.width / axes.figure.dpi - SIDE) / columns - GAP), **more)


def folded(text: str, inches: float) -> str:
    """A text in lines that fit, broken before what stands in brackets; a word that is longer than a line is broken.

    Args:
        text: One or several lines.
        inches: Room for a line.
    """
    letters = max(FEWEST_LETTERS, int(inches / LETTER))
    lines = [
        part
        for line in text.splitlines()
        for part in (line.replace(" (", "\n(") if len(line) > letters else line).splitlines()
    ]
    return "\n".join(piece for line in lines for piece in _pieces(line, letters))


def _pieces(line: str, letters: int) -> list[str]:
    """A line in pieces of so many letters, wide ones counted twice."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in line)
    return textwrap.wrap(line, max(1, letters * len(line) // (len(line) + wide))) if line else [line]


def value_axis(axes: Axes, view: Span, above: float = 0.04) -> None:
    """Show a span vertically.

    Args:
        axes: The panel.
        view: What to show.
        above: Room above it, as a share of the span; much room is for marks, and gets no numbers.
    """
    if view.log:
        log_axis(axes.yaxis, view)
    top = view.high + 1e-9 * abs(view.high) if above > 0.1 else math.inf
    axes.yaxis.set_major_formatter(ticks.FuncFormatter(lambda value, _: _digits(value) if value <= top else ""))
    axes.set_ylim(view.widened(0.04, above))


def log_axis(axis: Any, view: Span) -> None:
    """Make an axis logarithmic, with plain numbers.

    Args:
        axis: matplotlib's axis.
        view: What it shows; the shorter, the more numbers are written within a power of ten, if they have room.
    """
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogNumbers(math.log10(view.high / view.low), _digits))
    axis.set_major_formatter(ticks.FuncFormatter(lambda value, _: _digits(value)))
    axis.set_minor_formatter(ticks.NullFormatter())


def _digits(value: float) -> str:
    """A number of an axis; small ones beside 0.0001 are written as that is."""
    return f"{value:.6f}".rstrip("0") if SMALLEST <= value < 1e-4 else f"{value:g}"


def whole_axis(axes: Axes, at_most: int = 8) -> None:
    """Whole numbers along the horizontal axis, in steps of 1, 2, 5, 10, ...

    Args:
        axes: The panel.
        at_most: How many numbers fit.
    """
    axes.xaxis.set_major_locator(ticks.MaxNLocator(at_most, steps=[1, 2, 5, 10], integer=True))


def legend(figure: Figure, keys: Sequence[Line2D], title: str | None = None) -> None:
    """A legend beside the panels; below them where a label is too long for that.

    Args:
        figure: The figure; it grows if the legend is below.
        keys: What to explain; nothing is drawn if there is none.
        title: What the labels are.
    """
    if not keys:
        return
    long = is_narrow() or max(len(str(key.get_label())) for key in keys) > LONG_LABEL
    if long:
        lines = _fold(keys, figure.get_figwidth() - KEY)
        figure.set_figheight(figure.get_figheight() + 0.19 * lines)
    place: Literal["outside lower left", "outside right upper"]
    place = "outside lower left" if long else "outside right upper"
    figure.legend(handles=list(keys), loc=place, title=title, alignment="left", title_fontsize=9)


def legend_above(figure: Figure, keys: Sequence[Line2D]) -> None:
    """A legend in one row above small multiples.

    Args:
        figure: The figure.
        keys: What to explain; nothing is drawn if there is none.
    """
    if keys:
        most = min(len(keys), 2 if is_narrow() else 5)
        fits = (columns for columns in range(most, 1, -1) if _row_of_keys(keys, columns) <= figure.get_figwidth())
        columns = next(fits, 1)
        if columns == 1:
            _fold(keys, figure.get_figwidth() - KEY)
        figure.legend(handles=list(keys), loc="outside upper center", ncols=columns)


def _row_of_keys(keys: Sequence[Line2D], columns: int) -> float:
    """How wide a legend is that has so many columns, each filled before the next, in inches."""
    rows = math.ceil(len(keys) / columns)
    longest = [max(len(str(key.get_label())) for key in keys[at : at + rows]) for at in range(0, len(keys), rows)]
    return sum(KEY + LETTER * letters for letters in longest)


def _fold(keys: Sequence[Line2D], inches: float) -> int:
    """Put labels that are longer than their room into several lines.

    Returns:
        How many lines all labels have.
    """
    for key in keys:
        key.set_label(folded(str(key.get_label()), inches))
    return sum(1 + str(key.get_label()).count("\n") for key in keys)
