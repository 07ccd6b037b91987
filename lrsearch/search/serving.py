"""One of the studies that a worker serves, as the worker sees it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

from lrsearch.search.runner import Runner
from lrsearch.storage.listing import Listed

UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What code meets that reads an attribute, a curve or a definition which somebody else wrote or cut off."""


@dataclass
class Serving:
    """One study, from this worker's side.

    Attributes:
        listed: What the storage said of it; when that changes, everything begins anew.
        runner: Trains its trials; None where nothing can or need be done.
        open: Ends the runner's heartbeat.
        turn: When it was served last, counted in turns.
        not_before: Moment until which it is left alone.
        setbacks: How often its trials failed, one time after the other.
    """

    listed: Listed
    runner: Runner | None
    open: ExitStack
    turn: int = 0
    not_before: float = 0.0
    setbacks: int = field(default=0)


def named(error: Exception) -> str:
    """An error with its kind: the text of a `KeyError` alone says little.

    Args:
        error: Any.
    """
    return f"{type(error).__name__}: {error}"
