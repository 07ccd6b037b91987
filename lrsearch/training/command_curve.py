"""What a command says of its training, line by line: on its output, or in a file of JSON lines."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_LINE_END = re.compile(rb"[\r\n]+")
LONGEST_LINE = 65_536
"""Bytes of a line that is looked at; a program that writes no line ends must not fill the memory."""


@dataclass(frozen=True)
class Said:
    """One line about training.

    Attributes:
        epoch: Epochs finished; None on a line about the whole run.
        value: The metric.
        train: The metric on training rows; NaN where it is not said.
        lr: The learning rate; NaN where it is not said.
        is_known: Whether it was said at all.
    """

    epoch: int | None
    value: float
    train: float = math.nan
    lr: float = math.nan
    is_known: bool = True


def said(line: str, metric: str) -> Said | None:
    """What a line such as ``epoch=3 test=0.12`` says; None if it says nothing of the metric.

    Args:
        line: With words ``key=number`` anywhere in it.
        metric: What the metric is called, besides ``test``.
    """
    words = (word.strip(",;").partition("=") for word in line.split())
    return _said({key: number for key, _, text in words if (number := _number(text)) is not None}, metric)


def said_in_json(line: str, metric: str) -> Said | None:
    """What a line such as ``{"epoch": 3, "test": 0.12}`` says; None if it says nothing of the metric.

    Args:
        line: A JSON object.
        metric: What the metric is called, besides ``test``.
    """
    try:
        found = json.loads(line)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    numbers = {str(key): _number(value) for key, value in found.items() if not isinstance(value, bool)}
    return _said({key: number for key, number in numbers.items() if number is not None}, metric)


class Tail:
    """The lines that are added to a file.

    Args:
        path: The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._rest = b""

    def lines(self, *, ended: bool = False) -> Iterator[str]:
        """Lines that have been completed since the last time.

        Args:
            ended: Whether nothing more is written, so that a last line without its end counts, too.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                fresh = file.read()
        except FileNotFoundError:
            fresh = b""
        self._read += len(fresh)
        *whole, self._rest = _LINE_END.split(self._rest + fresh)
        if ended and self._rest:
            whole, self._rest = [*whole, self._rest], b""
        self._rest = self._rest[-LONGEST_LINE:]
        yield from (line[:LONGEST_LINE].decode("utf-8", "replace") for line in whole if line)


def _said(numbers: Mapping[str, float], metric: str) -> Said | None:
    value = numbers.get(metric, numbers.get("test"))
    epoch = numbers.get("epoch")
    if value is None or (epoch is not None and (epoch < 0 or epoch != int(epoch))):
        return None
    train, lr = (numbers.get(name, math.nan) for name in ("train", "lr"))
    return Said(None if epoch is None else int(epoch), value, train, lr)


def _number(text: object) -> float | None:
    if not isinstance(text, (str, int, float)) or (isinstance(text, str) and "_" in text):
        return None
    try:
        return float(text)
    except (ValueError, OverflowError):
        return None
