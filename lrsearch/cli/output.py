"""How commands print: results to stdout as a table or as JSON, messages to stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table
from rich.theme import Theme

from lrsearch.cli.table_layout import layout, shortened
from lrsearch.printable import harmless, json_harmless, printable, without_passwords

THEME = Theme(
    {
        "warning": "bold",
        "error": "bold",
        "aside": "dim",
        "bar.back": "dim",
        "bar.complete": "bold",
        "bar.finished": "bold",
        "bar.pulse": "bold",
        "status.spinner": "bold",
    }
)
"""Every style of ours, without colours: each of a terminal's sixteen is hard to read in some theme that is in use."""

COMMAND = "lrsearch "
"""What every command begins with that a message tells a person to type."""


class Format(StrEnum):
    """Forms in which a result can be printed."""

    TABLE = "table"
    JSON = "json"


class Setting(float):
    """A number that was trained with: printed with all the digits that are sampled, so that it can be typed again."""


def settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a trial, for a table.

    Args:
        params: By their names.

    Returns:
        The same, with each float as a `Setting`.
    """
    return {key: Setting(value) if isinstance(value, float) else value for key, value in params.items()}


class SafeConsole(Console):
    """A console on which no text that somebody stored moves the cursor, sets a title or writes to the clipboard."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See `Console.render`; what Rich itself says to the terminal is marked as control and stays."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=harmless(segment.text))


def console(*, stderr: bool = True, soft_wrap: bool = False, width: int | None = None) -> Console:
    """The console on which a command shows something; every one is made here.

    Args:
        stderr: Whether it writes to stderr instead of stdout.
        soft_wrap: Whether long lines are left to the terminal.
        width: Columns; by default those of the terminal.
    """
    return SafeConsole(stderr=stderr, soft_wrap=soft_wrap, width=width, highlight=False, theme=THEME)


def moves(screen: Console) -> bool:
    """Whether lines can be replaced: a terminal that is not a dumb one."""
    return screen.is_terminal and not screen.is_dumb_terminal


def say(message: str, *, style: str | None = None) -> None:
    """Print a message for the person to stderr: what it quotes is never taken as markup, or obeyed by the terminal.

    On a terminal lines end between words. A message with a command, or with a word that is longer than a line, is left
    to the terminal: copied from there, it is still in one piece.

    Args:
        message: One or more lines.
        style: One of the `THEME`.
    """
    screen, text = console(), printable(message)
    whole = not screen.is_terminal or COMMAND in text or any(cell_len(word) > screen.width for word in text.split())
    console(soft_wrap=whole).print(text, style=style, markup=False)


def write(text: str = "") -> None:
    """Print a result to stdout.

    Args:
        text: One or more lines; a terminal obeys nothing in it.
    """
    print(printable(text))


def print_json(value: Any) -> None:
    """Print a result as JSON; numbers that JSON does not have become null."""
    print(json_harmless(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False)))


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows under the given columns; what the terminal has no room for is said on stderr.

    Args:
        rows: Column -> value.
        columns: Which columns, in this order.
    """
    screen = _console()
    texts = [[show(row.get(column)) for column in columns] for row in rows]
    numeric = [
        bool(rows) and all(isinstance(row.get(name), (int, float, type(None))) for row in rows) for name in columns
    ]
    widths = layout(columns, texts, numeric, screen.width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for column, is_number in zip(columns, numeric, strict=True):
        if column in widths:
            table.add_column(
                column, justify="right" if is_number else "left", overflow="ellipsis", width=widths[column]
            )
    for cells in texts:
        shown = {name: text for name, text in zip(columns, cells, strict=True) if name in widths}
        table.add_row(*(escape(shortened(text, widths[name])) for name, text in shown.items()))
    screen.print("", table, "", sep="\n")
    left_out = [name for i, name in enumerate(columns) if name not in widths and any(row[i] != "–" for row in texts)]
    if left_out:
        say(f"No room for {', '.join(left_out)}: a wider terminal, a pipe or --format json shows more.", style="aside")


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print names and values below each other, without lines around them."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, value in facts.items():
        table.add_row(escape(name), escape(show(value)))
    _console().print(table)


def show(value: Any) -> str:
    """A value for a person: four significant digits (settings have six), a dash for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}" if isinstance(value, Setting) else f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={show(item)}" for key, item in value.items())
    return printable(str(value))


def _console() -> Console:
    # Piped output has no width of its own; 80 columns would fold names that scripts look for.
    return console(stderr=False, width=None if sys.stdout.isatty() else 160)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return without_passwords(value)
    return value
