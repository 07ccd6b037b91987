"""Why a database does not do what it was asked, with the cause named, and whether waiting may help."""

from __future__ import annotations

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

OUTAGES = (DBAPIError, PendingRollbackError, PoolTimeoutError, StorageInternalError)
"""What is raised when a database does not answer; a beat that hangs keeps the process's one connection."""
_FINAL = (
    "disk is full", "readonly", "read-only", "malformed", "not a database", "no such table", "unable to open",
    "denied",  # MySQL's word to a role that may only read, or that may not log in
)  # fmt: skip
_REFUSED_LOGIN = ("authentication failed", "no pg_hba.conf entry", "Access denied for user", "no password supplied",
                  "is not permitted to log in", "pg_hba.conf rejects")  # fmt: skip
_UNKNOWN = ("Unknown database", "does not exist", "translate host name", "Name or service not known",
            "nodename nor servname")  # fmt: skip
_CONNECTION_LIMIT = ("too many clients", "too many connections", "remaining connection slots", "max_user_connections",
                     "max_connections")  # fmt: skip
_TIMEOUT = ("statement timeout", "max_statement_time exceeded", "maximum statement execution time", "lock timeout",
            "Lock wait timeout", "idle-in-transaction timeout")  # fmt: skip
_NAMED = (
    (_REFUSED_LOGIN, "the server refuses the login"),
    (_CONNECTION_LIMIT, "the server has no connection left for this user, its limit is reached"),
    (_TIMEOUT, "the server ended a statement that took longer than its time limit allows"),
)


def reason(error: BaseException) -> str:
    """What a driver said, on one line; a cause that a person can do something about is named first.

    Args:
        error: What Optuna, SQLAlchemy or a driver raised.
    """
    said = _said(error)
    for words, name in _NAMED:
        if _has(said, words):
            return f"{name} ({said})"
    return said


def may_pass(error: BaseException) -> bool:
    """Whether waiting may help: a lost connection, a lock or a deadlock, but not a full disk or a wrong statement.

    Args:
        error: One of `OUTAGES`.
    """
    if _has(f"{error} {_said(error)}", (*_FINAL, *_REFUSED_LOGIN)):
        return False
    if isinstance(error, StorageInternalError):
        cause = error.__cause__
        return cause is None or not isinstance(cause, DBAPIError) or may_pass(cause)
    if isinstance(error, (PendingRollbackError, PoolTimeoutError)):
        return True
    return isinstance(error, (OperationalError, InterfaceError)) or bool(
        getattr(error, "connection_invalidated", False)
    )


def is_outage(error: BaseException) -> bool:
    """Whether a database has gone away that was there, or is just being started.

    Args:
        error: Any.
    """
    return isinstance(error, OUTAGES) and may_pass(error)


def never_was(error: BaseException) -> bool:
    """Whether there is no such database or server: a mistyped name, for which nobody should wait.

    Args:
        error: What was raised when it was opened.
    """
    return _has(_said(error), _UNKNOWN)


def _said(error: BaseException) -> str:
    """The driver's own first line; Optuna and SQLAlchemy wrap it in statements, links and guesses."""
    cause = getattr(error, "orig", None) or getattr(error.__cause__, "orig", None) or error
    arguments: tuple[object, ...] = getattr(cause, "args", ())
    text = arguments[-1] if len(arguments) > 1 and isinstance(arguments[-1], str) else cause
    return (str(text).strip().splitlines() or [type(error).__name__])[0]


def _has(said: str, words: tuple[str, ...]) -> bool:
    return any(own.casefold() in said.casefold() for own in words)
