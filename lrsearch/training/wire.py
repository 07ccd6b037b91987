"""What a run and its training processes say to each other, as pickles on a pipe that only the two of them hold."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from lrsearch.errors import Fault


@dataclass(frozen=True)
class Prepare:
    """To a process: build a task. All later segments are of it.

    Attributes:
        recipe: What says how; the process knows what that means.
    """

    recipe: Any = field(repr=False)


@dataclass(frozen=True)
class Drop:
    """To a process: a segment is not wanted any more."""

    work: int


@dataclass(frozen=True)
class Ready:
    """From a process: it has started."""


@dataclass(frozen=True)
class Refused:
    """From a process: it cannot train the task, or not with these settings.

    Attributes:
        text: Why.
        source: Where wrong input came from; None where it is no matter of input.
        faults: What is wrong with it.
    """

    text: str
    source: str | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Said:
    """From a process: something that a person should know."""

    text: str


def send(stream: BinaryIO, message: Any) -> None:
    """Write a message.

    Args:
        stream: A pipe.
        message: Anything that can be pickled.

    Raises:
        OSError: Nobody reads it.
    """
    # Whole before any of it is written: what cannot be pickled leaves no half of a message.
    stream.write(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """The next message; waits for it.

    Args:
        stream: A pipe.

    Raises:
        EOFError: The other end is closed.
    """
    try:
        return pickle.load(stream)
    except pickle.UnpicklingError as error:  # cut off by the end of the process that wrote it
        raise EOFError from error
