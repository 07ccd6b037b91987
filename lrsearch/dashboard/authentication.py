"""Who gets through to the dashboard: every request is checked here, whatever it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from lrsearch.dashboard import pages
from lrsearch.dashboard.allowed_hosts import AllowedHosts
from lrsearch.dashboard.attempts import Attempts
from lrsearch.dashboard.guests import Guests
from lrsearch.dashboard.pages import Answer, refusal
from lrsearch.dashboard.sessions import Sessions

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

READING = frozenset({"GET", "HEAD"})
METHODS = READING | {"POST", "PUT", "DELETE", "PATCH"}
LARGEST_LOGIN = 4096
"""Bytes of a login form."""
_PAGE = re.compile(r"/dashboard(/[A-Za-z0-9_-]+)*")
_ODD = re.compile(r"[^\x20-\x7e]")
"""No page has them in its path, and whoever is behind would leave out what is no UTF-8 and see another path."""


class Authentication:
    """WSGI application in front of another one.

    Args:
        application: What is behind the gate.
        names: Under which names it may be addressed.
        sessions: Checks the token; None lets everybody in who may address it.
        read_only: Whether every changing request is refused.
        guests: Is told whose requests are let in.
        attempts: Counts wrong tokens.
    """

    def __init__(
        self,
        application: WSGIApplication,
        names: AllowedHosts,
        sessions: Sessions | None,
        *,
        read_only: bool = False,
        guests: Guests | None = None,
        attempts: Attempts | None = None,
    ) -> None:
        self._application = application
        self._names = names
        self._sessions = sessions
        self._read_only = read_only
        self._guests, self._attempts = guests or Guests(), attempts or Attempts()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or let it through."""
        answer = self._answer(environ)
        if answer is None:
            self._guests.admit(environ)
            return self._application(environ, start_response)
        return answer.send(start_response, head=environ.get("REQUEST_METHOD") == "HEAD")

    def _answer(self, environ: dict[str, Any]) -> Answer | None:
        """What the gate itself answers; None lets the request through."""
        method, path = environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", "")
        if method not in METHODS:
            return refusal(HTTPStatus.METHOD_NOT_ALLOWED, "this method is not known here", [("Allow", "GET, HEAD")])
        if _ODD.search(path) or path.startswith("//"):
            return refusal(HTTPStatus.BAD_REQUEST, "the path is malformed")
        if (foreign := self._foreign(environ, method)) is not None:
            return foreign
        if self._sessions is not None:
            if path == "/login" and method == "POST":
                return self._log_in(self._sessions, environ)
            has_session = self._sessions.is_session(environ.get("HTTP_COOKIE", ""))
            if not has_session and (refused := self._check_bearer(self._sessions, environ, method, path)) is not None:
                return refused
        if self._read_only and method not in READING:
            return refusal(HTTPStatus.FORBIDDEN, "this dashboard is read-only")
        return None

    def _check_bearer(self, sessions: Sessions, environ: dict[str, Any], method: str, path: str) -> Answer | None:
        """What somebody without a session is answered; None if the request brings the token."""
        if not (authorization := environ.get("HTTP_AUTHORIZATION", "")):
            return _stranger(environ, method, path)
        address = environ.get("REMOTE_ADDR", "")
        if seconds := self._attempts.wait(address):
            return _wait(seconds)
        if sessions.is_bearer(authorization):
            self._attempts.right(address)
            return None
        self._attempts.wrong(address)
        return _stranger(environ, method, path)

    def _log_in(self, sessions: Sessions, environ: dict[str, Any]) -> Answer:
        address = environ.get("REMOTE_ADDR", "")
        if seconds := self._attempts.wait(address):
            return _wait(seconds)
        form = _form(environ)
        if isinstance(form, Answer):
            return form
        onward = _page(form.get("next", [""])[-1])
        if not sessions.is_token(form.get("token", [""])[-1].strip(" \t\r\n").encode("latin-1")):
            self._attempts.wrong(address)
            return pages.login(onward, wrong=True)
        self._attempts.right(address)
        self._guests.admit(environ)
        return pages.welcome(onward, sessions.cookie(secure=_is_encrypted(environ)))

    def _foreign(self, environ: dict[str, Any], method: str) -> Answer | None:
        """Whether the request was made by, or in the name of, another site."""
        host, origin = environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN")
        if not self._names.include(host):
            rule = "this dashboard does not go by that name; --allowed-host adds one"
            return refusal(HTTPStatus.MISDIRECTED_REQUEST, rule)
        if origin is not None and not self._names.is_own_origin(origin, host):
            return refusal(HTTPStatus.FORBIDDEN, "requests from pages of other sites are refused")
        # Not every request across sites has an Origin, but browsers say of each whether it is one. Following a link
        # to the dashboard is fine.
        across = environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin")
        follows_link = method in READING and environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
        if across and not (follows_link and environ.get("HTTP_SEC_FETCH_DEST", "document") == "document"):
            return refusal(HTTPStatus.FORBIDDEN, "requests from pages of other sites are refused")
        return None


def _stranger(environ: dict[str, Any], method: str, path: str) -> Answer:
    """A person gets the login page, a program the reason."""
    if method in READING and "text/html" in environ.get("HTTP_ACCEPT", ""):
        return pages.login(_page(path))
    bearer = ("WWW-Authenticate", 'Bearer realm="lrsearch"')
    return refusal(HTTPStatus.UNAUTHORIZED, "log in, or send the token as a bearer token", [bearer])


def _wait(seconds: int) -> Answer:
    rule = f"too many wrong tokens came from this address; try again in {seconds} s"
    return refusal(HTTPStatus.TOO_MANY_REQUESTS, rule, [("Retry-After", str(seconds))])


def _form(environ: dict[str, Any]) -> dict[str, list[str]] | Answer:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return refusal(HTTPStatus.BAD_REQUEST, "the length of the form is malformed")
    if int(length[:10]) > LARGEST_LOGIN:
        return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the form is too large")
    try:
        # Latin-1 takes every byte as it is.
        sent = environ["wsgi.input"].read(int(length)).decode("latin-1")
        return parse_qs(sent, encoding="latin-1", max_num_fields=4)
    except ValueError:
        return refusal(HTTPStatus.BAD_REQUEST, "the form is malformed")


def _is_encrypted(environ: dict[str, Any]) -> bool:
    """Whether the browser speaks TLS, which only a proxy or the page's origin can say.

    Somebody who forges that gets a cookie that her own browser keeps to itself.
    """
    said = environ.get("HTTP_X_FORWARDED_PROTO", "").partition(",")[0].strip().lower()
    return "https" in (environ.get("wsgi.url_scheme"), said) or environ.get("HTTP_ORIGIN", "").startswith("https://")


def _page(path: str) -> str:
    """Where to go after the login: a page of the dashboard, and never to another site."""
    return path if _PAGE.fullmatch(path) else "/dashboard"
