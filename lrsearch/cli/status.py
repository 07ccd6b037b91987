"""The screen of `lrsearch serve`: its processes, the studies, and what was said last."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lrsearch.cli import output
from lrsearch.cli.output import show
from lrsearch.errors import LrsearchError
from lrsearch.storage.choice import storage_reader
from lrsearch.storage.listing import Listed
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.retry import Patience

if TYPE_CHECKING:
    from lrsearch.launch.service import Service
    from lrsearch.study.stored import StoredStudy

LOOK_AGAIN = 1.0
"""Seconds between two looks at the storage."""
LINES, STUDIES = 8, 12
"""Most lines and studies that are shown."""


class Screen:
    """Shows a service on a terminal.

    Args:
        url: The storage.
        address: Where a browser finds the dashboard, with what it asks for.
    """

    def __init__(self, url: str, address: str = "") -> None:
        self._address = address
        self._storage = open_storage(url)
        # The screen says that the storage is away, and looks again a moment later.
        self._patience = Patience(lambda _: None, limit=0.0)
        self._reader = storage_reader(self._storage, self._patience)
        self._known: dict[Listed, StoredStudy] = {}
        self._said: deque[str] = deque(maxlen=LINES)
        self._console = output.console()

    def say(self, message: str) -> None:
        """Show a line among the last ones.

        Args:
            message: What happened.
        """
        self._said.append(f"{time.strftime('%H:%M:%S')} {message}")

    def follow(self, ticks: Iterable[None], service: Service) -> None:
        """Show the service until it ends.

        Args:
            ticks: Ends when the service does.
            service: Its processes.
        """
        looked_at = 0.0
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            for _ in ticks:
                if time.monotonic() - looked_at > LOOK_AGAIN:
                    looked_at = time.monotonic()
                    live.update(self.render(service), refresh=True)

    def leave(self) -> None:
        """Print what was said last: the screen is gone, and it may say why."""
        for line in self._said:
            self._console.print(line, markup=False, soft_wrap=True)

    def render(self, service: Service) -> Group:
        """The screen as it is now.

        Args:
            service: Its processes.
        """
        last = Text("\n".join(self._said), overflow="ellipsis", no_wrap=True, style="aside")
        head = [Text(f"Dashboard: {self._address}", overflow="fold")] if self._address else []
        return Group(*head, _processes(service), self._studies(), last)

    def _studies(self) -> Table:
        table = _table("study", "trials", "running", "best")
        try:
            rows = [self._row(listed) for listed in self._newest()]
        except (LrsearchError, KeyError):
            rows = [("the storage cannot be read now", "", "", "")]
        for row in rows or [("none yet", "", "", "")]:
            table.add_row(*row)
        return table

    def _newest(self) -> list[Listed]:
        from lrsearch.study import stored as studies

        there = [own for own in self._reader.listed() if own.definition is not None][-STUDIES:]
        # Loaded again only when something about it has changed.
        self._known = {
            own: self._known.get(own) or studies.load(self._storage, own.name, self._patience) for own in there
        }
        return there

    def _row(self, listed: Listed) -> tuple[str, str, str, str]:
        from lrsearch.study import status

        stored = self._known[listed]
        counts = status.count(stored)
        done = f"{counts.finished}/{counts.budget}" + (" stopped" if listed.stopped else "")
        return escape(listed.name), done, str(counts.running), show(status.best_value(stored))


def _processes(service: Service) -> Table:
    table = _table("process", "pid", "state", "restarts")
    for child in service.children:
        pid = str(child.process.pid) if child.process else "–"
        state = "running" if child.process else f"starts in {max(0.0, child.due - time.monotonic()):.0f} s"
        table.add_row(child.program.name, pid, state, str(child.restarts))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table
