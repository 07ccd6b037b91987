"""Requests that optuna-dashboard would answer with a fault of its own: for studies that are not there, or malformed."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from optuna.storages import BaseStorage

from lrsearch.dashboard.artifacts import Artifacts
from lrsearch.dashboard.pages import Answer, refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

LARGEST_ID = 2**31 - 1
"""What the databases have room for."""
_STUDY = re.compile(r"/(?:api/studies|api/artifacts|artifacts|csv)/(?P<study>-?\d+)(?:/(?P<trial>-?\d+))?(?:/.*)?")
_TRIAL = re.compile(r"/api/trials/(?P<trial>-?\d+)(?:/.*)?")
_ARTIFACT = re.compile(r"(?:/api)?/artifacts/.*/(?P<artifact>[0-9a-fA-F-]+)")
MOST_PARAMETERS = 100
"""Of a query."""


class RequestValidation:
    """WSGI application that lets only meaningful requests through to optuna-dashboard.

    Args:
        application: optuna-dashboard.
        storage: What it shows.
        artifacts: Where its artifacts are.
    """

    def __init__(self, application: WSGIApplication, storage: BaseStorage, artifacts: Artifacts) -> None:
        self._application = application
        self._storage = storage
        self._artifacts = artifacts

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer what cannot be meant, and let the rest through."""
        head = environ["REQUEST_METHOD"] == "HEAD"
        if environ["PATH_INFO"] in ("", "/"):
            # optuna-dashboard's own redirect names the host, which a proxy in between knows under another name.
            return Answer(HTTPStatus.FOUND, b"", [("Location", "/dashboard")]).send(start_response)
        # optuna-dashboard takes it for granted.
        environ.setdefault("HTTP_ACCEPT_ENCODING", "identity")
        if not self._is_there(environ["PATH_INFO"].rstrip("/")):
            return refusal(HTTPStatus.NOT_FOUND, "there is no such thing").send(start_response, head=head)
        if not _has_good_query(environ) or not _has_object(environ):
            return refusal(HTTPStatus.BAD_REQUEST, "the request is malformed").send(start_response, head=head)
        return self._application(environ, start_response)

    def _is_there(self, path: str) -> bool:
        if (artifact := _ARTIFACT.fullmatch(path)) and not self._artifacts.has(artifact["artifact"]):
            return False
        if found := _STUDY.fullmatch(path):
            return _exists(self._storage.get_study_user_attrs, found["study"]) and (
                found["trial"] is None or _exists(self._storage.get_trial, found["trial"])
            )
        found = _TRIAL.fullmatch(path)
        return found is None or _exists(self._storage.get_trial, found["trial"])


def _exists(look: Callable[[int], object], number: str) -> bool:
    if len(number) > len(str(LARGEST_ID)) or not 0 <= int(number) <= LARGEST_ID:
        return False
    try:
        look(int(number))
    except KeyError:
        return False
    return True


def _has_good_query(environ: dict[str, Any]) -> bool:
    """Whether the query can be read, and asks for trials after a number."""
    try:
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return False
    return all(len(after) < 10 and after.isascii() and after.isdigit() for after in query.get("after", []))


def _has_object(environ: dict[str, Any]) -> bool:
    """Whether a request that brings content brings a JSON object; its content is put back."""
    if environ["REQUEST_METHOD"] not in ("POST", "PUT") or not environ["PATH_INFO"].startswith("/api/"):
        return True
    length = environ.get("CONTENT_LENGTH") or "0"
    body = environ["wsgi.input"].read(int(length)) if length.isascii() and length.isdigit() else b""
    environ["wsgi.input"] = io.BytesIO(body)
    if not environ.get("CONTENT_TYPE", "").lower().startswith("application/json"):
        return False
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
