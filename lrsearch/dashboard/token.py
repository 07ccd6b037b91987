"""The token that a dashboard asks for: where it comes from, and when it is needed."""

from __future__ import annotations

import os
from pathlib import Path

from lrsearch.dashboard.allowed_hosts import is_loopback
from lrsearch.errors import input_error

VARIABLE = "LRSEARCH_TOKEN"


def find(given: str | None, file: Path | None) -> str | None:
    """The token from the command line, a file or the environment. No message ever shows it.

    Args:
        given: What ``--token`` says.
        file: What ``--token-file`` says; blanks and line ends around the token do not count.

    Returns:
        The token; None if nobody named one.

    Raises:
        InputError: It is named twice, or is empty, or cannot be sent in a header.
    """
    if given is not None and file is not None:
        raise input_error("command line", "name the token once: with --token or with --token-file")
    if given is not None:
        return _checked(given, "--token")
    if file is not None:
        return _checked(_read(file), "--token-file")
    named = os.environ.get(VARIABLE)
    return None if named is None else _checked(named, f"${VARIABLE}")


def check_needed(token: str | None, host: str) -> None:
    """Refuse to serve without a token where others reach the dashboard.

    Args:
        token: The token, if there is one.
        host: Where it would listen.

    Raises:
        InputError: There is none, and the address is not a loopback address.
    """
    if token is None and not is_loopback(host):
        rule = (
            f"others can reach this address, so it needs a token: --token-file FILE, ${VARIABLE}, or --token TOKEN "
            "(which other users of this machine can read)"
        )
        raise input_error("command line", rule, key="--host", received=f'"{host}"')


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise input_error("command line", f"cannot be read: {reason}", key="--token-file",
                          received=f'"{file}"') from None  # fmt: skip


def _checked(text: str, source: str) -> str:
    token = text.strip()
    if not token:
        raise input_error("command line", "the token is empty", key=source)
    if not token.isprintable() or " " in token:
        raise input_error("command line", "the token must be one word without blanks or line ends", key=source)
    return token
