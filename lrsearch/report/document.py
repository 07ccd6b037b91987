"""A report as files: markdown with its figures beside it, or one HTML file with the figures inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from lrsearch.report import files, html

FIGURES = "figures"
"""Folder of the figures, beside the markdown that shows them."""


class Form(StrEnum):
    """What a report is written as."""

    MARKDOWN = "markdown"
    HTML = "html"


FILES = {Form.MARKDOWN: "report.md", Form.HTML: "report.html"}


def write(
    text: str, title: str, draw: Mapping[str, Callable[[], bytes]], folder: Path, form: Form, stale: frozenset[str]
) -> Path:
    """Write a report.

    Args:
        text: Markdown, which shows the figures as ``figures/NAME.png``.
        title: What the report is about; any text.
        draw: File name of each figure -> what makes its bytes.
        folder: Where; made if it is not there.
        form: As what.
        stale: Figures that an earlier report may have left there; those that this one lacks are removed.

    Returns:
        The file with the text. It is written last: whoever sees it sees the figures that it links to.

    Raises:
        InputError: The folder cannot be written.
    """
    files.prepare(folder)
    target = folder / FILES[form]
    if form is Form.HTML:
        pictures = {f"{FIGURES}/{name}": make() for name, make in draw.items()}
        files.replace(folder, {target.name: html.page(text, title, pictures).encode()})
        return target
    files.prepare(folder / FIGURES)
    files.replace(folder / FIGURES, {name: make() for name, make in draw.items()})
    files.replace(folder, {target.name: text.encode()})
    files.remove(folder / FIGURES, stale - draw.keys())
    return target
