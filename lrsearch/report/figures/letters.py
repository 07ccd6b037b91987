"""Text in a figure: which letters the fonts of this machine have, and what stands for those that none has."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from itertools import groupby

from matplotlib.font_manager import findSystemFonts, fontManager, get_font

LABEL_LENGTH = 90
"""Most characters of a text in a figure."""
FIRST = "DejaVu Sans"
"""matplotlib's own, so that figures look the same everywhere."""
FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Source Han Sans SC",
    "Source Han Sans CN", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans GB",
    "Heiti TC", "Microsoft YaHei", "SimHei", "Yu Gothic", "Malgun Gothic", "Apple SD Gothic Neo",
    "Noto Emoji", "Segoe UI Emoji", "Symbola",
)  # fmt: skip
"""Fonts with letters that the first one lacks, on Linux, macOS and Windows; those that are installed are used."""
UNSHAPED = (
    "ARABIC", "HEBREW", "SYRIAC", "THAANA", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL",
    "TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "THAI", "LAO", "TIBETAN", "MYANMAR", "KHMER",
)  # fmt: skip
"""Scripts whose letters change with their neighbours or run to the left, which matplotlib does not do."""
_numbers: ContextVar[Mapping[str, int] | None] = ContextVar("numbers of words that cannot be drawn", default=None)


@cache
def families() -> list[str]:
    """The fonts to draw with, first choice first."""
    installed = set(fontManager.get_font_names())
    if not installed & set(FALLBACKS):
        installed |= _installed_since()
    return [FIRST, *(name for name in FALLBACKS if name in installed)]


def _installed_since() -> set[str]:
    """Add the fonts that came to this machine after matplotlib had listed those that were there.

    Returns:
        Their names.
    """
    known, added = {font.fname for font in fontManager.ttflist}, set()
    for file in sorted(set(findSystemFonts()) - known):
        with suppress(OSError, RuntimeError, ValueError):  # some font files are of no use to matplotlib
            fontManager.addfont(file)
            added.add(get_font(file).family_name)
    return added


def plain(text: str) -> str:
    """Text from a database in one line of at most `LABEL_LENGTH` characters, all of which can be drawn.

    Args:
        text: The text; words that cannot be drawn become numbers in brackets, see `numbered`.
    """
    numbers = _numbers.get() or {}
    line = "".join(
        run if drawable else f"[{numbers.get(run.strip(), '?')}]" for drawable, run in _runs(" ".join(text.split()))
    )
    return line if len(line) <= LABEL_LENGTH else line[: LABEL_LENGTH - 1] + "…"


def undrawable(texts: Iterable[str]) -> dict[str, int]:
    """The words among some texts that cannot be drawn here, each with a number from 1.

    Args:
        texts: Names that a figure may show.
    """
    found = (run.strip() for text in texts for drawable, run in _runs(" ".join(text.split())) if not drawable)
    return {word: place for place, word in enumerate(dict.fromkeys(found), 1)}


@contextmanager
def numbered(words: Mapping[str, int]) -> Iterator[None]:
    """Within it, `plain` writes these numbers for words that cannot be drawn.

    Args:
        words: As from `undrawable`.
    """
    token = _numbers.set(words)
    try:
        yield
    finally:
        _numbers.reset(token)


def _runs(text: str) -> list[tuple[bool, str]]:
    """The text in pieces, each with whether it can be drawn; a space between two that cannot belongs to them."""
    if all(map(_can_be_drawn, set(text))):
        return [(True, text)] if text else []
    marks = [_can_be_drawn(char) for char in text]
    for place in range(1, len(text) - 1):
        if text[place] == " " and not marks[place - 1] and not _can_be_drawn(text[place + 1]):
            marks[place] = False
    pairs = groupby(zip(marks, text, strict=True), key=lambda pair: pair[0])
    return [(drawable, "".join(char for _, char in pieces)) for drawable, pieces in pairs]


def _can_be_drawn(char: str) -> bool:
    name = unicodedata.name(char, "")
    if not char.isprintable() or name.startswith(UNSHAPED):
        return False
    return any(has(ord(char)) for has in _fonts())


@cache
def _fonts() -> list[Callable[[int], int]]:
    files = [fontManager.findfont(name, fallback_to_default=False) for name in families()]
    return [get_font(file).get_char_index for file in files]
