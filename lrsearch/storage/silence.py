"""How long a worker has been silent, where the database's clock is this machine's own and may be set anew at any time.

A heartbeat is a moment by the database's clock. SQLite has none: its moments are those of whoever writes. When that
clock jumps by hours, every heartbeat looks hours old. So of a worker on this machine it is watched, by a clock that
never jumps, whether its heartbeat moves; the moment itself says nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

RESOLUTION = 1.0
"""Seconds in which SQLite counts: two beats within one of them look alike."""


class Silences:
    """Watches heartbeats.

    Args:
        clock: Seconds that never jump.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, tuple[datetime, float]] = {}

    def silent(self, heartbeats: dict[int, datetime], grace: float) -> set[int]:
        """Ids of the trials whose heartbeat has not moved for so long, as far as it was watched.

        Args:
            heartbeats: By the trial's id, as they are now; those of all trials that are watched.
            grace: Seconds.
        """
        now = self._clock()
        self._seen = {
            own: seen if (seen := self._seen.get(own)) is not None and seen[0] == beat else (beat, now)
            for own, beat in heartbeats.items()
        }
        return {own for own, (_, since) in self._seen.items() if now - since > grace + RESOLUTION}
