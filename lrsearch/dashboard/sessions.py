"""Who has shown the token: compared in constant time, remembered in a cookie that does not hold it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

COOKIE = "lrsearch_session"
LIFETIME = 12 * 3600
"""Seconds after which a person has to log in again."""


class Sessions:
    """Checks tokens and issues cookies.

    A cookie holds the moment of its end by this process's clock, and a signature. The key of the signature is drawn
    when the process starts, so that nobody can find the token by trying out which one would have made a cookie.

    Args:
        token: The token that is asked for.
        clock: Seconds that never jump; a cookie is read by the process that made it only.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._expected = self._digest(token.encode())
        self._clock = clock

    def is_token(self, received: bytes) -> bool:
        """Whether somebody sent the token; takes as long for a wrong one of any length.

        Args:
            received: What was sent.
        """
        return hmac.compare_digest(self._digest(received), self._expected)

    def is_bearer(self, header: str) -> bool:
        """Whether an Authorization header brings the token.

        Args:
            header: Its value, as WSGI gives it: each character stands for a byte.
        """
        scheme, _, credentials = header.partition(" ")
        return scheme.lower() == "bearer" and self.is_token(credentials.strip(" ").encode("latin-1", "replace"))

    def is_session(self, header: str) -> bool:
        """Whether a Cookie header holds a session that has not ended.

        Args:
            header: Its value. Other programs on this host may have set cookies, of our name too.
        """
        pairs = (pair.strip().partition("=") for pair in header.split(";"))
        return any(self._holds(value) for name, _, value in pairs if name == COOKIE)

    def cookie(self, *, secure: bool) -> str:
        """A Set-Cookie header for somebody who has shown the token.

        Args:
            secure: Whether the browser shall send it over TLS only.
        """
        end = str(int(self._clock()) + LIFETIME)
        value = f"{end}.{self._signature(end)}"
        flags = "; Secure" if secure else ""
        return f"{COOKIE}={value}; Path=/; Max-Age={LIFETIME}; HttpOnly; SameSite=Strict{flags}"

    def _holds(self, value: str) -> bool:
        end, _, signature = value.partition(".")
        sent = signature.encode("latin-1", "replace")
        if not hmac.compare_digest(sent, self._signature(end).encode()):
            return False
        return int(end) > self._clock()  # ours, and so a number

    def _signature(self, end: str) -> str:
        # The blank keeps it apart from the digest of a token, which has none.
        return self._digest(f"session {end}".encode()).hex()

    def _digest(self, message: bytes) -> bytes:
        return hmac.digest(self._key, message, hashlib.sha256)
