"""Lanes that wait at a pause: what they need to go on is kept in memory under a limit, and in files beyond it."""

from __future__ import annotations

import tempfile
from pathlib import Path


class Parking:
    """The states of lanes that wait.

    Args:
        limit: Bytes that are kept in memory.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._memory: dict[int, bytes] = {}
        self._files: dict[int, Path] = {}
        self._used = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def put(self, lane: int, state: bytes) -> None:
        """Keep a lane's state, instead of its former one.

        Args:
            lane: Which.
            state: What it needs to go on.
        """
        self.drop(lane)
        if self._used + len(state) <= self._limit:
            self._memory[lane] = state
            self._used += len(state)
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="lrsearch-")
        file = Path(self._folder.name) / f"lane{lane}"
        file.write_bytes(state)
        self._files[lane] = file

    def get(self, lane: int) -> bytes | None:
        """A lane's state, which stays here until there is a newer one; None for a lane that never waited.

        Args:
            lane: Which.
        """
        if lane in self._files:
            return self._files[lane].read_bytes()
        return self._memory.get(lane)

    def drop(self, lane: int) -> None:
        """Let go of a lane's state.

        Args:
            lane: Which; it need not be here.
        """
        self._used -= len(self._memory.pop(lane, b""))
        if lane in self._files:
            self._files.pop(lane).unlink()

    def close(self) -> None:
        """Let go of everything."""
        self._memory.clear()
        self._files.clear()
        if self._folder is not None:
            self._folder.cleanup()
