"""Wrong tokens: after a few of them an address waits, longer each time, and is named in the log once a minute."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

FREE = 5
"""Wrong tokens of one address before it has to wait."""
LONGEST_WAIT = 60.0
"""Seconds; the wait doubles from one second on."""
FORGOTTEN_AFTER = 900.0
"""Seconds without a wrong token after which an address begins anew."""
LOG_EVERY = 60.0
"""Seconds between two lines about one address."""
MOST_ADDRESSES = 1024
"""More of them than that share what the oldest ones had."""
logger = logging.getLogger(__name__)


@dataclass
class _Address:
    wrong: int = 0
    last: float = 0.0
    free_at: float = 0.0
    unsaid: int = 0
    said_at: float = float("-inf")


class Attempts:
    """Counts wrong tokens by address.

    Args:
        clock: Seconds that never jump.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._addresses: dict[str, _Address] = {}

    def wait(self, address: str) -> int:
        """Whole seconds for which an address may not try another token; 0 if it may.

        Args:
            address: Where a request came from.
        """
        with self._lock:
            known, now = self._addresses.get(address), self._clock()
            return 0 if known is None or known.free_at <= now else int(known.free_at - now) + 1

    def wrong(self, address: str) -> None:
        """Note a wrong token.

        Args:
            address: Where it came from.
        """
        with self._lock:
            now = self._clock()
            known = self._addresses.pop(address, _Address())
            if now - known.last > FORGOTTEN_AFTER:
                known.wrong = 0
            while len(self._addresses) >= MOST_ADDRESSES:
                del self._addresses[next(iter(self._addresses))]
            self._addresses[address] = known
            known.wrong, known.last, known.unsaid = known.wrong + 1, now, known.unsaid + 1
            if known.wrong >= FREE:
                known.free_at = now + min(2.0 ** min(known.wrong - FREE, 10), LONGEST_WAIT)
            if now - known.said_at < LOG_EVERY:
                return
            number, known.unsaid, known.said_at = known.unsaid, 0, now
        tokens = "a wrong token" if number == 1 else f"{number} wrong tokens"
        logger.warning("%s sent %s.", address, tokens)

    def right(self, address: str) -> None:
        """Note the right token: whoever has it mistyped it before.

        Args:
            address: Where it came from.
        """
        with self._lock:
            self._addresses.pop(address, None)
