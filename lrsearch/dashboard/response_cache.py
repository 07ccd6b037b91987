"""One answer for everybody who asks the same at the same time: open pages poll, and each answer costs real work."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrsearch.dashboard.pages import Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

SECONDS = 2.0
"""How long an answer is good. optuna-dashboard itself reads the trials of a large study every 10 seconds."""
MOST, LARGEST = 16, 8 * 1024 * 1024
"""How many answers are kept, and bytes of the largest one."""


@dataclass(frozen=True)
class Kept:
    """An answer, and when it was given."""

    status: str
    headers: Headers
    body: bytes
    moment: float


class ResponseCache:
    """WSGI application that asks another one only once for what several want to know.

    Args:
        application: What knows the answers. Who may ask must have been checked before.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self._kept: dict[str, Kept] = {}
        self._changes = 0

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        if environ["REQUEST_METHOD"] != "GET":
            try:
                return self._application(environ, start_response)
            finally:
                self._forget()
        if not environ["PATH_INFO"].startswith("/api/studies"):
            return self._application(environ, start_response)
        key = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
        with self._lock:
            asking = self._asking.setdefault(key, threading.Lock())
        with asking:
            kept = self._kept.get(key)
            if kept is None or time.monotonic() - kept.moment > SECONDS:
                kept = self._ask(key, environ)
        start_response(kept.status, list(kept.headers))
        return [kept.body]

    def _ask(self, key: str, environ: dict[str, Any]) -> Kept:
        before = self._changes
        said: list[Any] = []

        def start(status: str, headers: Headers, *_: object) -> Any:
            said[:] = [status, headers]

        chunks = self._application(environ, start)
        body = b"".join(chunks)
        kept = Kept(said[0], said[1], body, time.monotonic())
        with self._lock:
            # What was asked before a change may be answered from before it.
            if before == self._changes and kept.status.startswith("200") and len(body) <= LARGEST:
                self._kept[key] = kept
            while len(self._kept) > MOST:
                self._kept.pop(min(self._kept, key=lambda own: self._kept[own].moment))
            if len(self._asking) > 4 * MOST:
                self._asking.clear()
        return kept

    def _forget(self) -> None:
        with self._lock:
            self._changes += 1
            self._kept.clear()
