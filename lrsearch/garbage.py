"""Python's search for garbage, put off where there is none."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 200_000
"""Objects more than there were, until the youngest are searched, while a program starts."""
_USUAL = gc.get_threshold()


def search_seldom() -> None:
    """Let a program start: the modules that it imports make a great many objects, and all of them stay.

    Searching them again and again takes a fifth of the time until a study's first epoch.
    """
    gc.set_threshold(SELDOM, *_USUAL[1:])


def search_as_usual() -> None:
    """End what `search_seldom` began. What there is by then is never searched again."""
    if gc.get_threshold()[0] == SELDOM:
        gc.freeze()
        gc.set_threshold(*_USUAL)


def leave_behind() -> None:
    """Let this process end without a last search: its memory is given back anyway.

    After the report of 10,000 trials that search takes a tenth of the time of the whole command. It is for commands
    that run nobody else's code, for it is then that objects end that only a search would find.
    """
    atexit.register(gc.freeze)


@contextmanager
def not_searched() -> Iterator[None]:
    """Look for no garbage within the block, which makes a great many objects that all stay.

    Each search goes through all objects that there are. That is a fifth of the time while 10,000 trials are read.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
