"""Which connections may stay: those who are in keep theirs, and strangers make room for each other."""

from __future__ import annotations

import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

REQUEST_SECONDS = 10.0
"""A stranger's request must be there, whole, so long after its connection was opened or had its last answer; of a
person who is in, its headers."""
STRANGERS, STRANGERS_PER_ADDRESS = 64, 32
"""Connections of those who have not shown the token; with one more the oldest that asks nothing ends. Where fewer
connections are possible, half of them are room for those who are in."""
MOST = 512
"""Connections in all."""
FILES_LEFT = 48
"""Open files that the process needs for its database, artifacts and log."""


@dataclass
class _Waited:
    """Since when a connection owes a request, and which part of one it has sent."""

    since: float
    request: object


class Guests:
    """Decides which connections of a server end.

    Args:
        clock: Seconds that never jump.
        connections: How many there may be in all; by default `most_connections`.

    Attributes:
        of_address: Connections that strangers of one address may have.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, connections: int | None = None) -> None:
        self._clock = clock
        half = (connections or most_connections()) // 2
        self._strangers, self.of_address = min(STRANGERS, half), min(STRANGERS_PER_ADDRESS, half)
        self._lock = threading.Lock()
        self._admitted: set[tuple[str, str]] = set()
        self._waited: dict[Any, _Waited] = {}

    def admit(self, environ: dict[str, Any]) -> None:
        """Note that a request was let in: its connection is no stranger's from now on.

        Args:
            environ: The request's, as WSGI gives it.
        """
        with self._lock:
            self._admitted.add((environ.get("REMOTE_ADDR", ""), environ.get("REMOTE_PORT", "")))

    def to_end(self, channels: Iterable[Any]) -> list[Any]:
        """The connections that end now.

        Args:
            channels: All that the server has, as waitress's channels.
        """
        there, now = list(channels), self._clock()
        with self._lock:
            self._admitted &= {_place(channel) for channel in there}
            admitted = set(self._admitted)
        self._waited = {channel: self._since(channel, now) for channel in there}
        late = [channel for channel in there if self._is_late(channel, now, _place(channel) in admitted)]
        strangers = [own for own in there if _place(own) not in admitted and own not in late]
        return [*late, *self._too_many(strangers)]

    def _since(self, channel: Any, now: float) -> _Waited:
        waited = self._waited.get(channel)
        if waited is None or _is_served(channel):
            return _Waited(now, channel.request)
        if waited.request is None and channel.request is not None and channel in self._waited:
            return _Waited(waited.since, channel.request)
        return waited

    def _is_late(self, channel: Any, now: float, is_in: bool) -> bool:
        if _is_served(channel) or now - self._waited[channel].since <= REQUEST_SECONDS:
            return False
        # Between two requests of a person who is in, and while she sends a file, waitress's own limit holds.
        return not is_in or (channel.request is not None and not channel.request.headers_finished)

    def _too_many(self, strangers: list[Any]) -> list[Any]:
        """The oldest of those that ask nothing, address by address first: a newcomer is heard."""
        idle = sorted((own for own in strangers if not _is_served(own)), key=lambda own: self._waited[own].since)
        total, of_address = len(strangers), Counter(own.addr[0] for own in strangers)
        ended = []
        for channel in idle:
            address = channel.addr[0]
            if of_address[address] > self.of_address or total > self._strangers:
                of_address[address] -= 1
                total -= 1
                ended.append(channel)
        return ended


def most_connections() -> int:
    """How many connections a server may have, so that the process does not run out of files."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if allowed == resource.RLIM_INFINITY else max(8, min(MOST, allowed - FILES_LEFT))


def _place(channel: Any) -> tuple[str, str]:
    return str(channel.addr[0]), str(channel.addr[1])


def _is_served(channel: Any) -> bool:
    return bool(channel.requests or channel.total_outbufs_len)
