"""Somebody who outlives this process: ends what it has started if it is ended by SIGKILL, or by want of memory."""

from __future__ import annotations

import subprocess

GRACE_LOOKS = 5
"""Seconds that the group has to end by itself after SIGTERM; it is looked at once in each."""
_SCRIPT = """
read -r _ && exit
kill -s TERM -- "-$1"
for _ in $(seq "$2"); do sleep 1; kill -s 0 -- "-$1" || exit; done
kill -s KILL -- "-$1"
"""
"""It reads from a pipe that ends when this process does, whatever happens to it."""


class GroupWatch:
    """A shell that waits for this process to end, and then ends a process group.

    Args:
        group: Its number.
    """

    def __init__(self, group: int) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "sh", str(group), str(GRACE_LOOKS)], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def over(self) -> None:
        """The group has ended: its number may soon be another one's. Can be called again."""
        if self._shell.returncode is None:
            self._shell.communicate(b"\n")
