"""A report as files: markdown with its figures beside it, or one HTML file with the figures inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrsearch.report import figures, files, html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = "figures"
"""Folder of the figures, beside the markdown that shows them."""


class Form(StrEnum):
    """What a report is written as."""

    MARKDOWN = "markdown"
    HTML = "html"


FILES = {Form.MARKDOWN: "report.md", Form.HTML: "report.html"}


def write(
    text: str,
    title: str,
    draw: Mapping[str, Callable[[], Figure]],
    folder: Path,
    form: Form,
    stale: frozenset[str],
    *,
    svg: bool = False,
    data: Callable[[], dict[str, Any]] | None = None,
) -> Path:
    """Write a report.

    Args:
        text: Markdown, which shows the figures as ``figures/NAME.png``.
        title: What the report is about; any text.
        draw: File name of each figure -> what draws it.
        folder: Where; made if it is not there.
        form: As what.
        stale: Figures that an earlier report may have left there; those that this one lacks are removed.
        svg: Whether to write each figure as SVG, too, beside the PNG that markdown shows.
        data: Makes what the HTML page draws itself; nothing where it has pictures only.

    Returns:
        The file with the text. It is written last: whoever sees it sees the figures that it links to.

    Raises:
        InputError: The folder cannot be written.
    """
    files.prepare(folder)
    target = folder / FILES[form]
    if form is Form.HTML:
        page = html.page(text, title, _pictures(draw), None if data is None else data())
        files.replace(folder, {target.name: page.encode()})
        return target
    files.prepare(folder / FIGURES)
    images = {}
    for name, make in draw.items():
        figure = make()
        images[name] = figures.png(figure)
        if svg:
            images[as_svg(name)] = figures.image(figure, ".svg")
    files.replace(folder / FIGURES, images)
    files.replace(folder, {target.name: text.encode()})
    files.remove(folder / FIGURES, frozenset([*stale, *map(as_svg, stale)]) - images.keys())
    return target


def as_svg(name: str) -> str:
    """The name of a figure's SVG file.

    Args:
        name: That of its PNG file.
    """
    return str(Path(name).with_suffix(".svg"))


def _pictures(draw: Mapping[str, Callable[[], Figure]]) -> dict[str, html.Picture]:
    """Every figure for a wide page and for a narrow one."""
    found = {}
    for name, make in draw.items():
        wide = figures.small_png(make())
        with figures.narrow():
            found[f"{FIGURES}/{name}"] = html.Picture(wide, figures.small_png(make()))
    return found
