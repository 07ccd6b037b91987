"""How much compiled code does in one call: a signal is seen between calls, and each call costs a little."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

MOMENT = 0.5
"""Seconds that a call should take at most, where less than that can be done at all."""


class Pace:
    """Seconds that an update or evaluation of one block of lanes takes; the last call says it for the next one."""

    def __init__(self) -> None:
        self._seconds = MOMENT

    def updates(self, most: int) -> int:
        """Updates of one block that take a moment.

        Args:
            most: That are wanted at once.
        """
        return max(1, min(most, int(MOMENT / self._seconds)))

    def blocks(self, updates: int) -> int:
        """Blocks that take a moment.

        Args:
            updates: Of each.
        """
        return max(1, int(MOMENT / (self._seconds * updates)))

    @contextmanager
    def measured(self, amount: int) -> Iterator[None]:
        """A call within the block is timed.

        Args:
            amount: Updates, or evaluations, of a block that it does.
        """
        began = time.perf_counter()
        yield
        self._seconds = max((time.perf_counter() - began) / amount, 1e-7)
