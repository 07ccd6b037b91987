"""Malformed requests: nobody gets in by one, and none makes our layer fail. The seed is fixed."""

from __future__ import annotations

import itertools
import random
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dashboard_client import HTML_ARTIFACT, TOKEN, Client
from databases import close

from lrsearch.dashboard.allowed_hosts import names
from lrsearch.dashboard.app import application
from lrsearch.dashboard.artifacts import ArtifactFolder, Hardened
from lrsearch.dashboard.attempts import Attempts
from lrsearch.dashboard.authentication import Authentication
from lrsearch.dashboard.server import Server
from lrsearch.dashboard.sessions import Sessions
from lrsearch.storage.rdb import open_storage

DIRECT, THROUGH_SOCKETS = 8000, 2500
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "X" * 30, "")
PATHS = (
    "/", "/dashboard", "/api/studies", "/api/studies/1", "/api/studies/1/plot/slice", "/api/studies/1/note", "/login",
    "/api/trials/1/tell", "/static/bundle.js", f"/artifacts/1/{HTML_ARTIFACT}", "/api/artifacts/1", "/csv/1",
    "/favicon.ico", "/api/meta",
)  # fmt: skip
PIECES = ("..", "%2e%2e", "%00", "\\", "//", "?after=", "&", "#", ";", "é", "%ff", "\r\n", "'", "1" * 30, "{}", " ")
VALUES = (
    "", "null", "Bearer", f"Bearer {TOKEN[:-1]}", f"Bearer  {TOKEN}\x00", f"Basic {TOKEN}", "bearer \xff",
    "evil.example", "127.0.0.1", "localhost:8080", "http://127.0.0.1:8080", "lrsearch_session=",
    f"lrsearch_session={TOKEN}", "lrsearch_session=99999999999.0", "-1", "99999999999999", "application/json",
    "text/html", "chunked", "a" * 2000,
)  # fmt: skip
HEADERS = (
    "Host", "Origin", "Authorization", "Cookie", "Content-Length", "Content-Type", "Accept", "Accept-Encoding",
    "Transfer-Encoding", "X-Forwarded-Proto", "X-Forwarded-Host", "Range", "Sec-Fetch-Site", "If-Modified-Since",
)  # fmt: skip
BODIES = (
    b"", b"{}", b"[]", b"null", b'{"study_name": 1}', b"\xff\xfe", b"token=", b"token=%", b"&" * 100, b"[" * 3000,
    f"token={TOKEN[:-1]}".encode(), b"token=" + b"x" * 5000, b'{"version": "x", "body": {}}',
)  # fmt: skip


def text(chance: random.Random) -> str:
    """A path, whole or broken."""
    parts = [chance.choice(PATHS)]
    while chance.random() < 0.5:
        parts.append(chance.choice(PIECES) if chance.random() < 0.8 else chr(chance.randrange(256)))
    return "".join(parts)


def headers(chance: random.Random) -> dict[str, str]:
    own = {"Host": "127.0.0.1:8080"} if chance.random() < 0.7 else {}
    return own | {chance.choice(HEADERS): chance.choice(VALUES) for _ in range(chance.randrange(4))}


def method(chance: random.Random) -> str:
    return chance.choice(METHODS[:5]) if chance.random() < 0.8 else chance.choice(METHODS)


def test_nobody_gets_in_by_a_malformed_request() -> None:
    """What is behind the gate is never called."""
    reached = []

    def inside(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        reached.append(environ)
        start_response("200 OK", [])
        return []

    late = Attempts(itertools.count(0, 1000).__next__)  # nobody has to wait
    gate = Authentication(inside, names("127.0.0.1", ["search.example.org"]), Sessions(TOKEN), attempts=late)
    client, chance, seen = Client(Hardened(gate)), random.Random(1), Counter[int]()
    for _ in range(DIRECT):
        answer = client(text(chance), method(chance), chance.choice(BODIES), **headers(chance))
        seen[answer.status] += 1
        assert TOKEN.encode() not in answer.body
    assert not reached
    assert set(seen) == {400, 401, 403, 405, 413, 421}


def test_no_byte_is_left_out_of_a_path(copy: tuple[Path, Any]) -> None:
    """Bottle drops what is no UTF-8, so that another path is served than was checked."""
    client = copy[1](token=None)
    for path in ("/api/studies/1\xf6", "/csv/" + "1" * 31 + "\xd6", "/api/studies/\xb91", "/api/studies/1\xc3\xb6"):
        for verb in ("GET", "DELETE", "HEAD"):
            assert client(path, verb).status == 400
    assert client("/api/studies/1").status == 200


@contextmanager
def listening(place: Path) -> Iterator[int]:
    """The port of a real server, with a dashboard that asks for the token."""
    storage = open_storage(f"sqlite:///{place}/s.db")
    server = Server(application(storage, ArtifactFolder(place / "artifacts"), token=TOKEN), "127.0.0.1", 0)
    ended = threading.Event()
    thread = threading.Thread(target=server.run, args=(ended.is_set,))
    thread.start()
    try:
        yield int(server.url.rsplit(":", 1)[1].strip("/"))
    finally:
        ended.set()
        thread.join()
        close(storage)


def exchange(port: int, request: bytes) -> bytes:
    """The first part of the answer to raw bytes; the sending side is closed, so that nobody waits for more."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(65536)
        except ConnectionError:
            return b""


def raw(chance: random.Random, further: str = "") -> bytes:
    """A request, with lines lost and bytes changed now and then."""
    path = text(chance).replace("\r\n", "") if chance.random() < 0.9 else text(chance)
    lines = [f"{method(chance)} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers(chance).items())]
    if chance.random() < 0.1:
        lines.pop(chance.randrange(len(lines)))
    body = chance.choice(BODIES)
    if body and chance.random() < 0.8:
        lines.append(f"Content-Length: {len(body)}")
    sent = bytearray("\r\n".join([*lines, *([further] if further else []), "", ""]).encode("utf-8") + body)
    if chance.random() < 0.2:
        sent[chance.randrange(len(sent))] = chance.randrange(256)
    return bytes(sent)


def status(answer: bytes) -> int | None:
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    return int(found[1]) if found else None


def test_nobody_gets_in_through_the_server(stored: Path) -> None:
    chance, seen = random.Random(2), Counter[int | None]()
    with listening(stored) as port:
        for _ in range(THROUGH_SOCKETS):
            answer = exchange(port, raw(chance))
            seen[status(answer)] += 1
            assert b"study_summaries" not in answer
            assert b"Traceback" not in answer
    assert all(code is None or 400 <= code < 500 or code == 501 for code in seen), seen


def test_a_person_who_is_in_meets_no_fault_of_ours(stored: Path) -> None:
    """What our layer lets through, optuna-dashboard may still refuse; reading never fails."""
    chance, seen = random.Random(3), Counter[int | None]()
    with listening(stored) as port:
        for _ in range(600):
            request = raw(chance, f"Authorization: Bearer {TOKEN}")
            answer = exchange(port, request)
            if request.startswith((b"GET", b"HEAD")):
                seen[status(answer)] += 1
            assert b"Traceback" not in answer
    assert 200 in seen
    assert all(code is None or code < 500 or code == 501 for code in seen), seen
