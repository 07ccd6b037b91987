"""A door in front of a database server which a test shuts: connections end, and new ones are refused."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy.engine import make_url


class Door:
    """Passes on what goes to a server, unless it is shut.

    Args:
        url: The server's database.
    """

    def __init__(self, url: str) -> None:
        inner = make_url(url)
        assert inner.host is not None
        assert inner.port is not None
        self._server = (inner.host, inner.port)
        self._lock = threading.Lock()
        self._through: set[socket.socket] = set()
        self._left = self._sent = self._limit = 0
        self._attempts = self._times = self.passed = self.refused = 0
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        port = self._listening.getsockname()[1]
        self.url = inner.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        self._answering = threading.Thread(target=self._answer, daemon=True)
        self._answering.start()

    def end_connections(self) -> None:
        """End those that there are; new ones are let through."""
        with self._lock:
            ends, self._through = self._through, set()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def shut(self, attempts: int) -> None:
        """End all connections and refuse new ones, until so many were refused.

        Args:
            attempts: How many.
        """
        with self._lock:
            self._left = attempts
        self.end_connections()

    def shuts_after(self, messages: int, attempts: int, times: int) -> None:
        """Shut the door several times, however fast those are who go through it.

        Args:
            messages: To the server, after which it is shut.
            attempts: How many are refused then.
            times: How often.
        """
        self._limit, self._attempts, self._times = messages, attempts, times

    def close(self) -> None:
        """Take the door away."""
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes who waits for a connection
        self._answering.join()
        self._listening.close()
        self.end_connections()

    def _answer(self) -> None:
        with suppress(OSError):  # the door is gone
            while True:
                inside, _ = self._listening.accept()
                with self._lock:
                    if self._left:
                        self._left -= 1
                        self.refused += 1
                        inside.close()
                        continue
                    outside = socket.create_connection(self._server)
                    self.passed += 1
                    self._through |= {inside, outside}
                for ends in ((inside, outside, True), (outside, inside, False)):
                    threading.Thread(target=self._pour, args=ends, daemon=True).start()

    def _pour(self, source: socket.socket, sink: socket.socket, to_server: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
                if to_server and self._limit:
                    self._count()
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._through.discard(source)
        source.close()

    def _count(self) -> None:
        with self._lock:
            self._sent += 1
            is_due = self._sent % self._limit == 0 and self._times > 0
            self._times -= is_due
        if is_due:
            self.shut(self._attempts)


@contextmanager
def door_to(url: str) -> Iterator[Door]:
    """A door in front of a database, open at first.

    Args:
        url: The database.
    """
    made = Door(url)
    try:
        yield made
    finally:
        made.close()
