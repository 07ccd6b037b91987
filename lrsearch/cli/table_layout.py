"""How a table fits into the columns of a terminal: which of its own columns stay, and how wide they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

GAP = 2
"""Between two columns."""
SHORTENED = 16
"""Columns of a word that had to be cut, its ellipsis included."""
NAME = 32
"""The same in the first column, which says what a row is about."""


@dataclass
class _Column:
    name: str
    narrowest: int
    natural: int
    is_empty: bool
    may_be_cut: bool


def layout(names: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], room: int) -> dict[str, int]:
    """The columns that are shown, with their widths; no word of them is broken.

    Cells wrap between words. Where that is not enough, columns in which nothing stands are left out, then long words of
    texts are shortened in their middle, then columns are left out from the right. The first one stays in any case.

    Args:
        names: Of the columns.
        rows: Texts under them.
        numeric: Which columns are numbers; these are never cut.
        room: Columns of the terminal.

    Returns:
        Name -> width, in the order of `names`.
    """
    kept = [_column(name, [row[i] for row in rows], numeric[i]) for i, name in enumerate(names)]
    while _needed(kept) > room and (blank := [own for own in kept[1:] if own.is_empty]):
        kept.remove(blank[-1])
    while _needed(kept) > room and (long := [own for own in kept[1:] if own.may_be_cut and own.narrowest > SHORTENED]):
        max(long, key=lambda own: own.narrowest).narrowest = SHORTENED
    if _needed(kept) > room and kept[0].may_be_cut:
        kept[0].narrowest = min(kept[0].narrowest, max(NAME, kept[0].narrowest - (_needed(kept) - room)))
    while _needed(kept) > room and len(kept) > 1:
        kept.pop()
    kept[0].narrowest = min(kept[0].narrowest, room)
    return _shared(kept, room)


def shortened(text: str, width: int) -> str:
    """A text in which no word is wider than a column; a longer one keeps its beginning and its end.

    Args:
        text: Any.
        width: Of the column.
    """
    long = {word for word in text.split() if cell_len(word) > width}
    for word in long:
        text = text.replace(word, f"{set_cell_size(word, width // 2)}…{_end(word, width - width // 2 - 1)}")
    return text


def _end(word: str, width: int) -> str:
    while word and cell_len(word) > width:
        word = word[1:]
    return word


def _column(name: str, cells: Sequence[str], is_number: bool) -> _Column:
    words = [word for text in (name, *cells) for word in text.split()]
    narrowest = max(map(cell_len, words), default=1)
    natural = max(cell_len(line) for text in (name, *cells) for line in (text.splitlines() or [""]))
    is_empty = bool(cells) and all(text == "–" for text in cells)
    return _Column(name, narrowest, max(narrowest, natural), is_empty, not is_number)


def _needed(columns: Sequence[_Column]) -> int:
    return sum(own.narrowest for own in columns) + GAP * (len(columns) - 1)


def _shared(columns: Sequence[_Column], room: int) -> dict[str, int]:
    """What is left of the room goes to those that want more, in equal parts; who needs little gets it first."""
    left = room - _needed(columns)
    widths: dict[str, int] = {}
    wanting = sorted(columns, key=lambda own: own.natural - own.narrowest)
    for place, own in enumerate(wanting):
        more = min(own.natural - own.narrowest, max(left, 0) // (len(wanting) - place))
        widths[own.name], left = own.narrowest + more, left - more
    return {own.name: widths[own.name] for own in columns}
