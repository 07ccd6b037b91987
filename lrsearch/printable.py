"""Text that may be shown to a person: no password of a database, and no character that a terminal obeys."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

HIDDEN = "***"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_SECRET = re.compile(
    r"(?i)passw|passphrase|passwd|pwd|secret|token|credential|apikey|api_key"
    r"|^(options|init_command|init_connect|odbc_connect|dsn|conninfo|sslpassword|pass|auth)$"
)
"""Keys of a URL's query whose value is hidden: passwords under each driver's name for them, and texts in which a
driver takes further settings (`options`, `init_command`, `odbc_connect`), which may hold one."""
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, delete, C1
    "\u200e\u200f\u2028-\u202e\u2066-\u2069"  # line separators, and marks that turn the direction of writing
    "\ud800-\udfff]"  # halves of characters, which no encoding can write
)


def redacted(url: str) -> str:
    """A storage URL that may be shown: whatever may be a password is replaced by asterisks.

    It reads the text as it stands, because a password with an ``@`` or a ``/`` in it makes parsers find another host.

    Args:
        url: Any text that was given as a URL.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url if re.fullmatch(r"[\w./~-]*", url) else "the storage URL"
    rest = _without_user_password(rest)
    place, question, query = rest.partition("?")
    return f"{scheme}://{place}{question}{_query_without_secrets(query)}"


def secrets(url: str) -> list[str]:
    """What `redacted` hides of a URL, as written and as drivers get it, longest first.

    Args:
        url: Any text that was given as a URL.
    """
    rest = url.partition("://")[2]
    found = [] if (span := _user_password(rest)) is None else [rest[slice(*span)]]
    for part in rest.partition("?")[2].split("&"):
        key, _, value = part.partition("=")
        if _SECRET.search(unquote_plus(key)):
            found.append(value)
    known = {text for secret in found for text in (secret, unquote_plus(secret)) if text}
    return sorted(known, key=len, reverse=True)


def printable(text: str) -> str:
    """A text that a terminal shows and does not obey, with the passwords of the URLs in it hidden.

    Args:
        text: Any; newlines and tabs stay.
    """
    return harmless(without_passwords(text))


def without_passwords(text: str) -> str:
    """A text with the passwords of the URLs in it hidden.

    Args:
        text: Any.
    """
    return _URL.sub(lambda found: redacted(found[0]), text)


def harmless(text: str) -> str:
    """A text with each character that a terminal would obey, or cannot show, written as Python writes it.

    Args:
        text: Any; newlines and tabs stay.
    """
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def json_harmless(document: str) -> str:
    """The same JSON; what a terminal would obey is written with JSON's own escapes.

    Args:
        document: JSON; JSON's writers themselves escape only the first 32 characters.
    """
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def _user_password(rest: str) -> tuple[int, int] | None:
    """Where the password before the host is in what follows ``://``; None if there is none."""
    if rest.startswith("/"):
        return None
    place = rest.partition("?")[0]
    end = place.rfind("@") if "@" in place else rest.rfind("@")
    colon = rest.find(":", 0, None if end < 0 else end)
    if colon < 0:
        return None
    if "@" in place:
        return colon + 1, end
    if re.match(r"[^:]*:(\d*|PORT)([/?]|$)|\[", rest):
        return None  # a host with its port; what is in the query is looked at by its keys
    # Or a text that was cut at a space in the password.
    return colon + 1, end if end >= 0 else len(rest)


def _without_user_password(rest: str) -> str:
    span = _user_password(rest)
    return rest if span is None else rest[: span[0]] + HIDDEN + rest[span[1] :]


def _query_without_secrets(query: str) -> str:
    shown, hides = [], False
    for part in query.split("&"):
        key, equals, _ = part.partition("=")
        # A part without a key is the rest of a value with an & in it.
        hides = bool(_SECRET.search(unquote_plus(key))) if equals else hides
        if not equals and hides:
            continue
        shown.append(f"{key}={HIDDEN}" if hides else part)
    return "&".join(shown)
