"""A server that is in trouble says it once a minute, in one line, and not thousands of times a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

EVERY = 60.0
"""Seconds between two lines that say the same."""
MOST_KINDS = 100
"""Different lines that are remembered."""


class Seldom(logging.Filter):
    """Lets a message through once a minute, without its stack where the system refused something.

    Args:
        clock: Seconds that never jump.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is shown; an error of the system becomes part of its line."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, OSError):
            record.msg, record.args = f"{record.getMessage()}: {error.strerror or error}", None
            record.exc_info = record.exc_text = None
        kind, now = (str(record.msg), type(error).__name__), self._clock()
        if now - self._said.get(kind, float("-inf")) < EVERY:
            return False
        self._said.pop(kind, None)
        if len(self._said) >= MOST_KINDS:
            del self._said[next(iter(self._said))]
        self._said[kind] = now
        return True
