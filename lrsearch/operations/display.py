"""Who looks on while a study is trained: the command line shows a line that moves, a script shows nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from lrsearch.search.events import Event
from lrsearch.study.stored import StoredStudy


class Display(Protocol):
    """Consumes what happens while a study is trained; training goes on as it is consumed."""

    def follow(self, stored: StoredStudy, events: Iterable[Event]) -> None:
        """Take what happens in this process, to the end.

        Args:
            stored: The study that is trained.
            events: What the runner yields.
        """

    def watch(self, stored: StoredStudy, ticks: Iterable[None]) -> None:
        """Take the ticks of other processes' training, to the end; what they did is in the storage.

        Args:
            stored: The study that is trained.
            ticks: Come now and then while it is.
        """


class NoDisplay:
    """Shows nothing."""

    def follow(self, stored: StoredStudy, events: Iterable[Event]) -> None:
        for _ in events:
            pass

    def watch(self, stored: StoredStudy, ticks: Iterable[None]) -> None:
        for _ in ticks:
            pass
