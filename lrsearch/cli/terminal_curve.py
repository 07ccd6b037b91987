"""A small curve drawn with block characters, for a terminal or a log."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lrsearch.cli.output import show

BLOCKS = " ▁▂▃▄▅▆▇█"
NAMES = 11
"""Characters of the longest number at the side."""
LOG_FROM = 3.0
"""Values that span at least this ratio are drawn on a log scale."""
WIDEST = 4
"""Most columns of one value."""


def curve(
    values: Sequence[float], marks: Sequence[tuple[int, str]] = (), width: int = 79, height: int = 7
) -> list[str]:
    """Lines of text that show values as columns, on a log scale where they span much.

    Args:
        values: At least one; what is not finite is drawn as a cross.
        marks: Place in the values, and what to write below it.
        width: Characters of the longest line.
        height: Lines of the columns.
    """
    places = _places(len(values), width - NAMES - 2)
    low, high, log = _scale([values[place] for place in places if math.isfinite(values[place])])
    levels = [_level(values[place], low, high, height, log) for place in places]
    names = {0: f"{show(high)} ┤", 1: "log │" if log else "│", height - 1: f"{show(low)} ┤"}
    body = [
        names.get(row, "│").rjust(NAMES + 2) + "".join(_cell(level, height - 1 - row) for level in levels)
        for row in range(height)
    ]
    axis, below = _marks(places, marks)
    indent = " " * (NAMES + 1)
    return [line.rstrip() for line in (*body, f"{indent}└{axis}", f"{indent} {below}")]


def _scale(finite: Sequence[float]) -> tuple[float, float, bool]:
    if not finite:
        return 0.0, 1.0, False
    low, high = min(finite), max(finite)
    return low, high, low > 0 and high >= LOG_FROM * low


def _places(count: int, room: int) -> list[int]:
    """Which value each column shows: some columns each where values are few, the last of a group where many."""
    if count <= room:
        return [place for place in range(count) for _ in range(min(room // count, WIDEST))]
    return [((column + 1) * count - 1) // room for column in range(room)]


def _level(value: float, low: float, high: float, height: int, log: bool) -> int | None:
    """Eighths of a line; even the lowest value has one, so that it is seen."""
    if not math.isfinite(value):
        return None
    if high == low:
        return 4 * height
    share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
    return 1 + round(share * (8 * height - 1))


def _cell(level: int | None, row: int) -> str:
    """What a column has in a line, counted from below."""
    if level is None:
        return "×" if row == 0 else " "
    return BLOCKS[min(max(level - 8 * row, 0), 8)]


def _marks(places: Sequence[int], marks: Sequence[tuple[int, str]]) -> tuple[str, str]:
    axis, below = ["─"] * len(places), ""
    for place, text in marks:
        column = next(index for index, shown in enumerate(places) if shown >= place)
        axis[column] = "┬"
        # A text that would run into the former one, or beyond the edge, is left out; its tick stays.
        if column >= len(below) + 2 * bool(below) and (column + len(text) <= len(places) or not below):
            below = below.ljust(column) + text
    return "".join(axis), below
