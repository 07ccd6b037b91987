"""The storages that a command has opened: their connections end with it, not when the garbage collector comes by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

_commands: list[list[RDBStorage]] = []
"""What each command that runs in this process has opened; the innermost is the last."""


@contextmanager
def closed_afterwards() -> Iterator[None]:
    """Close what is opened inside the block when it ends. An SQLite file is then whole without the files beside it."""
    opened: list[RDBStorage] = []
    _commands.append(opened)
    try:
        yield
    finally:
        _commands.pop()
        for storage in opened:
            close(storage)


def note(storage: RDBStorage) -> RDBStorage:
    """Note that a storage was opened, if a command does it: who calls from Python keeps hers open.

    Args:
        storage: Just opened.
    """
    if _commands:
        _commands[-1].append(storage)
    return storage


def close(storage: RDBStorage) -> None:
    """End the connections of a storage.

    Args:
        storage: Nobody uses it any more; it would connect again.
    """
    storage.remove_session()
    storage.engine.dispose()
