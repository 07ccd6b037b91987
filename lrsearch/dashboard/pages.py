"""What the dashboard answers by itself: the login page, and refusals in one line."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Headers = list[tuple[str, str]]

LOGIN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
_LOGIN = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>lrsearch dashboard</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; background: #f4f5f7; color: #1f2430; margin: 0;
       min-height: 100vh; display: flex; align-items: center; justify-content: center; }}
form {{ background: #fff; padding: 2rem 2.25rem; border-radius: 8px; width: 20rem; box-shadow: 0 2px 12px #0002; }}
h1 {{ font-size: 1.25rem; margin: 0 0 1rem; }}
label {{ display: block; font-size: .875rem; color: #555; }}
input {{ width: 100%; box-sizing: border-box; font: inherit; padding: .5rem .6rem; margin: .25rem 0 1rem;
        border: 1px solid #b6bcc8; border-radius: 4px; }}
button {{ font: inherit; width: 100%; padding: .5rem; border: 0; border-radius: 4px; background: #0072b2;
         color: #fff; }}
p {{ color: #a83200; margin: 0 0 1rem; }}
</style>
</head>
<body>
<form method="post" action="/login">
<h1>lrsearch dashboard</h1>
{message}<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" autofocus required>
<input name="next" type="hidden" value="{onward}">
<button type="submit">Log in</button>
</form>
</body>
</html>
"""


@dataclass(frozen=True)
class Answer:
    """A whole response.

    Attributes:
        status: Its code.
        body: Its content.
        headers: Content type, and whatever else belongs to it.
    """

    status: HTTPStatus
    body: bytes
    headers: Sequence[tuple[str, str]]

    def send(self, start_response: StartResponse, *, head: bool = False) -> Iterable[bytes]:
        """Answer a request.

        Args:
            start_response: WSGI's.
            head: Whether only the headers were asked for.
        """
        length = ("Content-Length", str(len(self.body)))
        start_response(f"{self.status.value} {self.status.phrase}", [*self.headers, length])
        return [] if head else [self.body]


def refusal(status: HTTPStatus, reason: str, headers: Sequence[tuple[str, str]] = ()) -> Answer:
    """Why a request is refused, in the form in which optuna-dashboard's pages show it.

    Args:
        status: The code.
        reason: One sentence; nothing of the request is repeated in it.
        headers: Further headers.
    """
    body = json.dumps({"reason": reason}).encode()
    return Answer(status, body, [("Content-Type", "application/json"), *headers])


def login(onward: str, *, wrong: bool = False) -> Answer:
    """The page that asks for the token.

    Args:
        onward: Where to go with it.
        wrong: Whether somebody just gave another one.
    """
    message = "<p>That is not the token.</p>\n" if wrong else ""
    body = _LOGIN.format(message=message, onward=html.escape(onward)).encode()
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", LOGIN_POLICY),
        ("WWW-Authenticate", 'Bearer realm="lrsearch"'),
    ]
    return Answer(HTTPStatus.UNAUTHORIZED, body, headers)


def welcome(onward: str, cookie: str) -> Answer:
    """Go on to a page with a session.

    Args:
        onward: Path of the page.
        cookie: A Set-Cookie header.
    """
    return Answer(HTTPStatus.SEE_OTHER, b"", [("Location", onward), ("Set-Cookie", cookie)])
