"""A client that asks the dashboard without a server in between."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any
from wsgiref.util import setup_testing_defaults

TOKEN = "correct-horse"
HTML_ARTIFACT = "11111111-2222-3333-4444-555555555555"


@dataclass
class Response:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Client:
    """Asks a WSGI application; `headers` go with every request."""

    application: Any
    headers: dict[str, str] = field(default_factory=lambda: {"Host": "127.0.0.1:8080"})

    def __call__(self, path: str = "/api/studies", method: str = "GET", body: bytes = b"", **headers: str) -> Response:
        """Send a request; header names are written with underscores, and an empty value leaves a header out."""
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "wsgi.input": io.BytesIO(body)}
        environ["PATH_INFO"], _, environ["QUERY_STRING"] = path.partition("?")
        if body:
            environ["CONTENT_LENGTH"] = str(len(body))
        setup_testing_defaults(environ)
        for name, value in {**self.headers, **headers}.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        if not environ["HTTP_HOST"]:
            del environ["HTTP_HOST"]
        answered: list[Any] = []

        def start(status: str, sent: list[tuple[str, str]], *_: object) -> None:
            answered[:] = [status, sent]

        chunks = self.application(environ, start)
        content = b"".join(chunks)
        if hasattr(chunks, "close"):
            chunks.close()
        return Response(int(answered[0].split()[0]), dict(answered[1]), content)
