"""Strangers cannot keep out those who are in: idle and slow connections end, guesses slow down, the log stays short."""

from __future__ import annotations

import logging
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dashboard_client import TOKEN
from databases import close

from lrsearch.dashboard import attempts, guests
from lrsearch.dashboard.app import application
from lrsearch.dashboard.artifacts import ArtifactFolder
from lrsearch.dashboard.attempts import Attempts
from lrsearch.dashboard.guests import REQUEST_SECONDS, STRANGERS, STRANGERS_PER_ADDRESS, Guests
from lrsearch.dashboard.seldom import Seldom
from lrsearch.dashboard.server import Server
from lrsearch.storage.rdb import open_storage

IDLE, SLOW = 300, 200


class Clock:
    """Stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class Channel:
    """What `Guests` looks at of a connection."""

    addr: tuple[str, int]
    request: Any = None
    requests: list[Any] = field(default_factory=list)
    total_outbufs_len: int = 0


@contextmanager
def listening(place: Path, clock: Clock) -> Iterator[Server]:
    """A real server whose strangers wait by a clock of the test."""
    storage, known = open_storage(f"sqlite:///{place}/s.db"), Guests(clock)
    shown = application(storage, ArtifactFolder(place / "artifacts"), token=TOKEN, guests=known)
    server, ended = Server(shown, "127.0.0.1", 0, known), threading.Event()
    thread = threading.Thread(target=server.run, args=(ended.is_set,))
    thread.start()
    try:
        yield server
    finally:
        ended.set()
        thread.join()
        close(storage)


def studies(server: Server) -> int:
    """What somebody with the token is answered."""
    asked = urllib.request.Request(f"{server.url}api/studies", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return int(answer.status)


def is_closed(connection: socket.socket) -> bool:
    connection.settimeout(20)
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_idle_and_slow_connections_keep_nobody_out(stored: Path) -> None:
    """Hundreds of them, of one address; then even the few that may stay end, and who is in keeps her connection."""
    with listening(stored, clock := Clock()) as server, ExitStack() as stack:
        port = int(server.url.rsplit(":", 1)[1].strip("/"))

        def connect() -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))

        mine = connect()
        mine.sendall(f"GET /api/studies HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        assert mine.recv(65536).startswith(b"HTTP/1.1 200")
        idle = [connect() for _ in range(IDLE)]
        assert studies(server) == 200
        slow = [connect() for _ in range(SLOW)]
        for byte in b"GET":
            for connection in slow:
                try:
                    connection.send(bytes([byte]))
                except ConnectionError:
                    continue
            assert studies(server) == 200
        assert all(is_closed(connection) for connection in idle[: IDLE - STRANGERS_PER_ADDRESS])
        assert len(server._server.active_channels) <= STRANGERS_PER_ADDRESS + 2
        clock.now += REQUEST_SECONDS + 1
        assert all(is_closed(connection) for connection in [*idle, *slow])
        mine.sendall(f"GET /api/studies HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        assert mine.recv(1) != b""


def test_a_request_has_a_deadline_from_its_first_moment() -> None:
    """Bytes that trickle in do not move it; an answer does; somebody who is in may send a file slowly."""
    known, headers = Guests(clock := Clock()), SimpleNamespace(headers_finished=False)
    stranger, person = Channel(("10.0.0.1", 1)), Channel(("10.0.0.2", 2))
    known.admit({"REMOTE_ADDR": "10.0.0.2", "REMOTE_PORT": "2"})
    both = [stranger, person]
    assert known.to_end(both) == []
    clock.now += REQUEST_SECONDS - 1
    stranger.request = person.request = headers
    assert known.to_end(both) == []
    clock.now += 2
    assert known.to_end(both) == both
    person.request = SimpleNamespace(headers_finished=True)
    assert known.to_end(both) == [stranger]
    stranger.request, stranger.requests = None, [headers]
    clock.now += 100
    assert known.to_end(both) == []
    stranger.requests = []
    clock.now += REQUEST_SECONDS - 1
    assert known.to_end(both) == []
    clock.now += 2
    assert known.to_end(both) == [stranger]


def test_each_address_makes_room_for_itself_first() -> None:
    """The oldest that asks nothing ends; one that is being answered does not."""
    known = Guests(clock := Clock())
    greedy = [Channel(("10.0.0.1", number)) for number in range(STRANGERS_PER_ADDRESS + 3)]
    greedy[0].requests = [object()]
    others = [Channel((f"10.0.1.{number}", 1)) for number in range(20)]
    for channel in greedy:
        known.to_end([*others, *greedy[: greedy.index(channel)]])
        clock.now += 0.01
    assert known.to_end([*others, *greedy]) == greedy[1:4]
    many = [Channel((f"10.1.0.{number}", 1)) for number in range(STRANGERS + 5)]
    assert len(known.to_end(many)) == 5
    # Where the process may have few files only, half of them are for those who are in.
    assert len(Guests(clock, connections=16).to_end(many[:10])) == 2


def test_the_server_leaves_files_for_its_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, 256))
    assert guests.most_connections() == 256 - guests.FILES_LEFT
    monkeypatch.setattr("resource.getrlimit", lambda _: (10**6, 10**6))
    assert guests.most_connections() == guests.MOST


def test_wrong_tokens_slow_down_and_are_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """With their address; another address and the right token do not wait."""
    counted = Attempts(clock := Clock())
    for _ in range(attempts.FREE - 1):
        counted.wrong("10.0.0.1")
    assert counted.wait("10.0.0.1") == 0
    waits = []
    for _ in range(9):
        counted.wrong("10.0.0.1")
        waits.append(counted.wait("10.0.0.1"))
        clock.now += waits[-1]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (2, int(attempts.LONGEST_WAIT) + 1)
    assert counted.wait("10.0.0.2") == 0
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "10.0.0.1 sent a wrong token."
    assert len(said) == 1 + int(sum(waits[:-1]) // attempts.LOG_EVERY)
    counted.right("10.0.0.1")
    assert counted.wait("10.0.0.1") == 0
    for number in range(2 * attempts.MOST_ADDRESSES):
        counted.wrong(f"address {number}")
    assert len(counted._addresses) == attempts.MOST_ADDRESSES


def test_a_refused_guess_says_when_to_come_again(serve: Any) -> None:
    """By the form and by the header, the right token included; a session goes on."""
    client = serve()
    cookie = client("/login", "POST", f"token={TOKEN}".encode()).headers["Set-Cookie"].partition(";")[0]
    for _ in range(attempts.FREE):
        assert client(Authorization="Bearer wrong").status == 401
    refused = client("/login", "POST", f"token={TOKEN}".encode())
    assert (refused.status, int(refused.headers["Retry-After"]) > 0) == (429, True)
    assert client(Authorization=f"Bearer {TOKEN}").status == 429
    assert client(Cookie=cookie).status == 200


def test_the_log_says_the_same_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal by the system in one line, without its stack."""
    logger, rule = logging.getLogger("test of strangers"), Seldom(clock := Clock())
    logger.addFilter(rule)
    for _ in range(7000):
        try:
            raise OSError(24, "Too many open files")
        except OSError:
            logger.warning("server accept() threw an exception", exc_info=True)
        clock.now += 0.01
    logger.warning("another line")
    assert [record.getMessage() for record in caplog.records] == [
        *["server accept() threw an exception: Too many open files"] * 2, "another line",
    ]  # fmt: skip
    assert not any(record.exc_info for record in caplog.records)
    logger.removeFilter(rule)
