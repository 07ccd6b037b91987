"""The answer of a study on a terminal: headline, three rows, how sure, code. At most 80 columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.cells import cell_len

from lrsearch.cli.output import write

if TYPE_CHECKING:
    from lrsearch.study.stored import StoredStudy

WIDTH = 80


def print_answer(stored: StoredStudy) -> None:
    """Print what a study recommends.

    Args:
        stored: The study.
    """
    from lrsearch.report.headline import Answer

    told = Answer.of(stored)
    write(f"\n{wrapped(told.headline())}")
    found = told.recommendation
    if found is None:
        return
    write()
    for line in columns(told.table()):
        write(line)
    write(f"\n{wrapped('How sure? ' + told.how_sure())}")
    if said := told.how_wrong():
        write(f"\n{wrapped('How wrong may the rate be? ' + said)}")
    if found.code:
        write(f"\n{found.code}")


def wrapped(prose: str) -> str:
    """Prose in lines of at most `WIDTH` columns; no word is broken, and no number parted from its per cent sign.

    Args:
        prose: One paragraph.
    """
    together = prose.replace(" %", "\N{NO-BREAK SPACE}%")
    lines = textwrap.fill(together, WIDTH, break_long_words=False, break_on_hyphens=False)
    return lines.replace("\N{NO-BREAK SPACE}%", " %")


def columns(rows: list[list[str]]) -> list[str]:
    """A table as lines: the first column to the left, the others to the right.

    A first column that leaves too little room for the others goes on in a second line, indented.

    Args:
        rows: Texts; all rows are as long as the first.
    """
    widths = [max(cell_len(row[place]) for row in rows) for place in range(len(rows[0]))]
    widths[0] = min(widths[0], WIDTH - sum(width + 2 for width in widths[1:]))
    lines = []
    for first, *others in rows:
        right = [_right(cell, width) for cell, width in zip(others, widths[1:], strict=True)]
        head, *rest = _folded(first, widths[0])
        lines += ["  ".join([head + " " * (widths[0] - cell_len(head)), *right]), *rest]
    return lines


def _folded(text: str, width: int) -> list[str]:
    """A text in lines, broken between words; a word that is wider than a line is broken, too."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1].strip() else f"{lines[-1]}{word}"
        lines = [*lines[:-1], longer] if cell_len(longer) <= width or not lines[-1].strip() else [*lines, f"  {word}"]
        while cell_len(lines[-1]) > width:
            head, tail = _split(lines[-1], width)
            lines = [*lines[:-1], head, f"  {tail}"]
    return lines


def _split(text: str, width: int) -> tuple[str, str]:
    head = text
    while cell_len(head) > width:
        head = head[:-1]
    return head, text[len(head) :]


def _right(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text
