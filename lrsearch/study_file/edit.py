"""Change one key of a study file and nothing else: comments, order and blank lines stay as they are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from lrsearch.errors import input_error
from lrsearch.study_file import load, toml


def text(path: Path) -> str:
    """A study file's text, a byte order mark and line ends included.

    Args:
        path: The file.

    Raises:
        InputError: It cannot be read, or is not TOML.
    """
    try:
        content = load.contents(path)
    except OSError:
        content = b""
    load.read(path)  # says what is wrong, in the words that all commands use
    return content.decode("utf-8")


def with_lr(written: str, low: float, high: float, source: str) -> str:
    """The text with ``[search] lr = { low = ..., high = ..., log = true }``.

    Args:
        written: Text of a valid study file.
        low: Smallest initial learning rate.
        high: Largest one.
        source: What to call the file in messages.

    Raises:
        InputError: The file would not be a valid study file with that range (a ``[[try]]`` outside of it, say), or
            the key is written in a way that cannot be changed without disturbing its surroundings.
    """
    before = _parsed(written, source)
    load.parse(before, source)
    wanted = _replaced(before, {"low": low, "high": high, "log": True})
    load.parse(wanted, f"{source} with {show_lr(low, high)}")
    changed = _edited(written, before, low, high)
    if changed is None or _parsed(changed, source) != wanted:
        line = show_lr(low, high)
        raise input_error(
            source, f"cannot be changed without disturbing the file; write by hand: {line}", key="search.lr"
        )
    return changed


def show_lr(low: float, high: float) -> str:
    """The line of a study file that searches between two learning rates.

    Args:
        low: The smaller one.
        high: The larger one.
    """
    return f"lr = {{ low = {low!r}, high = {high!r}, log = true }}"


def _parsed(written: str, source: str) -> dict[str, Any]:
    return toml.document(written.encode("utf-8"), source)


def _edited(written: str, before: dict[str, Any], low: float, high: float) -> str | None:
    """The changed text; None where that cannot be done. That it says what it should is for the caller to check."""
    newline = "\r\n" if "\r\n" in written else "\n"
    line = show_lr(low, high)
    if "search" not in before:
        gap = "" if written.endswith("\n") or not written else newline
        return f"{written}{gap}{newline}[search]{newline}{line}{newline}"
    if "lr" not in before["search"]:
        # As text, right below the header: tomlkit would put it below the comment that precedes the next table.
        header = _HEADER.search(written)
        return (
            None
            if header is None
            else f"{header[0]}{newline}{line}".join((written[: header.start()], written[header.end() :]))
        )
    mark = _MARK if written.startswith(_MARK) else ""
    try:
        document = tomlkit.parse(written.removeprefix(mark))
        document["search"]["lr"] = tomlkit.parse(line)["lr"]
        changed = mark + tomlkit.dumps(document)
    except (TOMLKitError, TypeError, ValueError, RecursionError):
        return None
    return changed if _only_lr_changed(written, changed) else None


_MARK = "\ufeff"
"""A byte order mark, which editors on Windows put before UTF-8."""
_HEADER = re.compile(r"^[ \t]*\[[ \t]*search[ \t]*\][ \t]*(#[^\r\n]*)?(?=\r?$)", re.MULTILINE)


def _replaced(document: dict[str, Any], lr: dict[str, Any]) -> dict[str, Any]:
    search = document.get("search", {})
    return {**document, "search": {**search, "lr": lr}}


def _only_lr_changed(before: str, after: str) -> bool:
    """Whether all that differs is one stretch of lines which, before and after, is the key and its value."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    return all(_is_lr(lines[head : len(lines) - tail]) for lines in (old, new))


def _is_lr(lines: list[str]) -> bool:
    try:
        return not lines or list(tomllib.loads("".join(lines))) == ["lr"]
    except tomllib.TOMLDecodeError:
        return False
