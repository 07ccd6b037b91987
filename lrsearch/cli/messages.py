"""Messages of the library on the person's screen: what it logs becomes lines on stderr."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lrsearch.cli.output import say
from lrsearch.errors import InterruptedRunError

LIBRARY = "lrsearch"
"""Name of the logger above all loggers of this package."""


class MessageHandler(logging.Handler):
    """Hands every message to a function, as it is.

    Args:
        take: Shows a line.
    """

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__()
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take(record.getMessage())


def show_messages(take: Callable[[str], None] = say, *, quiet: bool = False) -> None:
    """Show what the library logs, until the command ends.

    Args:
        take: Shows a line.
        quiet: Show only what a person must know.
    """
    logger = logging.getLogger(LIBRARY)
    logger.handlers = [handler for handler in logger.handlers if not isinstance(handler, MessageHandler)]
    logger.addHandler(MessageHandler(take))
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    logger.propagate = False


@contextmanager
def own_messages() -> Iterator[None]:
    """Show what the library logs inside the block; after it, logging is as it was."""
    logger = logging.getLogger(LIBRARY)
    handlers, level, propagates = logger.handlers[:], logger.level, logger.propagate
    show_messages()
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagates
        logger.setLevel(level)


@contextmanager
def interruptible(again: str) -> Iterator[None]:
    """Say how to go on if a signal ends the work in the block.

    Args:
        again: The command that goes on.
    """
    try:
        yield
    except InterruptedRunError:
        raise InterruptedRunError(f"interrupted; everything finished is stored. Go on with: {again}") from None
