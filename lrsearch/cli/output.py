"""How commands print: results to stdout as a table or as JSON, messages to stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table


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


def say(message: str, *, style: str | None = None) -> None:
    """Print a message for the person to stderr, as it is: what it quotes is never taken as markup."""
    Console(stderr=True, soft_wrap=True).print(message, style=style, markup=False, highlight=False)


def print_json(value: Any) -> None:
    """Print a result as JSON; numbers that JSON does not have become null."""
    print(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows under the given columns.

    Args:
        rows: Column -> value.
        columns: Which columns, in this order.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        numeric = all(isinstance(row.get(column), (int, float, type(None))) for row in rows)
        table.add_column(column, justify="right" if rows and numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(show(row.get(column))) for column in columns))
    _console().print(table)


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
    return str(value)


def _console() -> Console:
    # Piped output has no width of its own; 80 columns would fold names that scripts look for.
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
