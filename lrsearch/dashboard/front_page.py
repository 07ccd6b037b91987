"""What of optuna-dashboard's pages is ours: which one opens first, and that long attributes do not stretch them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import optuna_dashboard
from optuna.exceptions import OptunaError
from optuna.storages import BaseStorage
from optuna.study import load_study

from lrsearch.dashboard.pages import Headers
from lrsearch.errors import LrsearchError
from lrsearch.storage.choice import storage_reader
from lrsearch.storage.retry import Patience

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

STYLE = b"""<style>
.MuiTableCell-root { overflow-wrap: anywhere; }
.MuiTableCell-root:first-of-type { overflow-wrap: normal; }
@media (min-width: 600px) {
  .MuiBox-root { min-width: 0; }
  .MuiTable-root { min-width: 0 !important; }
}
@media (max-width: 599px) {
  main.MuiBox-root:has(.MuiCardContent-root), main.MuiBox-root:has(.MuiCardContent-root) .MuiBox-root { min-width: 0; }
  main .MuiGrid2-root, main .MuiGrid-item { flex-basis: 100%; max-width: 100%; width: 100%; }
}
</style></head>"""
"""A trial's curves are attributes of thousands of characters in one line. Names of attributes stay whole. On a phone
cards stand below each other and are as wide as the page, but not beside the list of trials: nothing would be left of
them there."""
HEAD = b"</head>"
CONDITIONS = ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH", "HTTP_RANGE")
"""What a browser may ask of the file on disk, which is not what it gets."""


class FrontPage:
    """WSGI application that shows the answer first where there is one study, and gives every page our style.

    Args:
        application: optuna-dashboard. Who may ask must have been checked before.
        storage: Where the studies are.
    """

    def __init__(self, application: WSGIApplication, storage: BaseStorage) -> None:
        self._application, self._storage = application, storage

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] != "GET" or not (path == "/" or path.startswith("/dashboard")):
            return self._application(environ, start_response)
        if path == "/" and (note := self._only_note()) is not None:
            start_response("302 Found", [("Location", note), ("Content-Length", "0")])
            return []
        return self._styled(environ, start_response)

    def _styled(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        said: list[Any] = []

        def start(status: str, headers: Headers, *_: object) -> Any:
            said[:] = [status, headers]

        whole = {key: value for key, value in environ.items() if key not in CONDITIONS}
        # Without the server's own way to send a file, the file comes as bytes.
        chunks = self._application({key: value for key, value in whole.items() if key != "wsgi.file_wrapper"}, start)
        try:
            body = b"".join(chunks).replace(HEAD, STYLE, 1)
        finally:
            getattr(chunks, "close", lambda: None)()
        status, headers = said
        kept = [(name, value) for name, value in headers if name.lower() not in ("content-length", "etag")]
        start_response(status, [*kept, ("Content-Length", str(len(body)))])
        return [body]

    def _only_note(self) -> str | None:
        """The page with the note of the only study that has one of its own; None where there is none, or a choice."""
        try:
            there = storage_reader(self._storage, Patience(lambda _: None, limit=0.0)).listed()
            ours = [own for own in there if own.definition is not None and own.origin is None]
            if len(ours) != 1:
                return None
            noted = optuna_dashboard.get_note(load_study(study_name=ours[0].name, storage=self._storage))
        except (KeyError, OptunaError, LrsearchError):
            return None  # deleted in between, or the storage is away: the list of studies says so
        return f"/dashboard/studies/{ours[0].study_id}/note" if noted else None
