"""Pages that ask the same get one answer, and none that a change has made wrong."""

from __future__ import annotations

from typing import Any

import pytest
from dashboard_client import Client

from lrsearch.dashboard import response_cache
from lrsearch.dashboard.response_cache import ResponseCache


class Counting:
    """Answers each question with how many it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.asked += 1
        answer = str(self.asked).encode()
        start_response("404 Not Found" if "missing" in environ["PATH_INFO"] else "200 OK", [("X-Kept", "yes")])
        return [answer]


def test_the_same_question_is_asked_once() -> None:
    inner = Counting()
    client = Client(ResponseCache(inner))
    assert [client("/api/studies/1?after=2").body for _ in range(3)] == [b"1"] * 3
    assert client("/api/studies/1?after=3").body == b"2"
    assert client("/api/studies/1?after=2").headers == {"X-Kept": "yes"}


def test_a_change_makes_everything_be_asked_anew() -> None:
    client = Client(ResponseCache(Counting()))
    client("/api/studies")
    client("/api/studies/1", "PUT")
    assert client("/api/studies").body == b"3"


def test_an_answer_from_before_a_change_is_not_kept() -> None:
    """The change comes while the answer is on its way."""
    changed: list[bool] = []

    def inner(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and not changed:
            changed.append(True)
            client("/api/studies/1", "DELETE")
            start_response("200 OK", [])
            return [b"old"]
        start_response("200 OK", [])
        return [b"new"]

    client = Client(ResponseCache(inner))
    assert client("/api/studies").body == b"old"
    assert client("/api/studies").body == b"new"


def test_other_things_are_not_kept() -> None:
    client = Client(ResponseCache(Counting()))
    assert [client(path).body for path in ("/api/meta", "/api/meta", "/api/studies/missing")] == [b"1", b"2", b"3"]
    assert client("/api/studies/missing").body == b"4"


def test_answers_age_and_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ResponseCache(Counting())
    client = Client(kept)
    for number in range(10 * response_cache.MOST):
        client(f"/api/studies/{number}")
    assert len(kept._kept) == response_cache.MOST
    assert len(kept._asking) <= 4 * response_cache.MOST + 1
    monkeypatch.setattr(response_cache, "SECONDS", -1.0)
    first = client("/api/studies/1").body
    assert client("/api/studies/1").body != first
