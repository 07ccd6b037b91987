"""optuna-dashboard's script with one change: its plot of intermediate values draws a line for trials that have some.

As it is, the plot makes a line with a place in the legend for every trial, ten thousand of which take a browser longer
than all else on a page together. A script that does not have the expression, of another version, goes out as it is.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lrsearch.dashboard.pages import Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

PATH = "/static/bundle.js"
LINES = re.compile(
    rb"(?=,\w+=\w+\.map\(\(?(\w+)=>\{const \w+=\1\.constraints\.every\(\(?\w+=>\w+<=0\)?\);"
    rb"return\{x:\1\.intermediate_values\.map\()"
)
"""Where the trials have been chosen, and are about to become lines; versions 0.20 and 0.21 spell it differently."""
WITH_CURVES = b".filter(trial=>trial.intermediate_values.length>0)"
ASKED_OF_THE_FILE = frozenset(
    {"HTTP_ACCEPT_ENCODING", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH", "HTTP_RANGE", "wsgi.file_wrapper"}
)
"""What a browser may ask of the file on disk, which is not what it gets."""


def changed(script: bytes) -> bytes | None:
    """The script with the change.

    Args:
        script: optuna-dashboard's.

    Returns:
        None if there is not just one place for it.
    """
    places = [found.start() for found in LINES.finditer(script)]
    if len(places) != 1:
        return None
    return script[: places[0]] + WITH_CURVES + script[places[0] :]


class PageScript:
    """WSGI application that answers optuna-dashboard's script, changed, and leaves all else to another one.

    Args:
        application: optuna-dashboard. Who may ask must have been checked before.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._is_known = False
        self._packed: bytes | None = None
        self._tag = ""

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._application(environ, start_response)
        with self._lock:
            if not self._is_known:
                self._prepare(environ)
        if self._packed is None:
            return self._application(environ, start_response)
        return self._answer(self._packed, environ, start_response)

    def _prepare(self, environ: dict[str, Any]) -> None:
        """Change the script and pack it, once: it has millions of characters."""
        said: list[Any] = []

        def start(status: str, headers: Headers, *_: object) -> Any:  # noqa: ARG001 - WSGI's
            said[:] = [status]

        # Without the server's own way to send a file, the file comes as bytes.
        whole = {key: value for key, value in environ.items() if key not in ASKED_OF_THE_FILE}
        chunks = self._application({**whole, "REQUEST_METHOD": "GET"}, start)
        try:
            script = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        if not said[0].startswith("200"):
            return
        if (ours := changed(script)) is not None:
            self._packed, self._tag = gzip.compress(ours, 6, mtime=0), f'"{hashlib.sha256(ours).hexdigest()[:32]}"'
        self._is_known = True

    def _answer(self, packed: bytes, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        headers = [("ETag", self._tag), ("Vary", "Accept-Encoding")]
        if self._tag in environ.get("HTTP_IF_NONE_MATCH", ""):
            start_response("304 Not Modified", headers)
            return []
        headers.append(("Content-Type", "text/javascript; charset=UTF-8"))
        body = packed
        if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
            headers.append(("Content-Encoding", "gzip"))
        else:
            body = gzip.decompress(packed)
        start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
