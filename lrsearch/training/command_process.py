"""One run of a command: a process group with its output in a file."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from lrsearch.errors import input_error
from lrsearch.signals import held
from lrsearch.training.group_watch import GroupWatch

GRACE_SECONDS = 5.0
"""Seconds that a run has to end by itself after SIGTERM."""
REST_SECONDS = 0.5
"""Seconds that what a run has started gets after the run itself has ended."""
LAST_LINES, LONGEST = 5, 300
"""Lines of output that are shown of a run that failed, and characters of each."""


class RunFailedError(Exception):
    """A run ended badly, or without a value. It ends one trial only."""


class CommandProcess:
    """A running command. Whatever it starts belongs to its group, and ends with it, and with this process.

    Args:
        words: Its arguments.
        output: File for what it writes to stdout and stderr.
        environment: What its environment has beside this process's own.

    Raises:
        InputError: There is no such program, or it may not be run.
    """

    def __init__(self, words: Sequence[str], output: Path, environment: Mapping[str, str]) -> None:
        self.output = output
        self._watch: GroupWatch | None = None
        with ExitStack() as unfinished:
            with held():
                self._process = _started(words, output, environment)
                unfinished.callback(self.end)  # if a signal came meanwhile: nobody else knows the process yet
                self._watch = GroupWatch(self._process.pid)
            unfinished.pop_all()

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """How it ended; negative for a signal, None while it runs."""
        return self._process.poll()

    def end(self) -> None:
        """End the whole group: ask it to, and kill what is left after a while, or at once if this is interrupted."""
        try:
            if self._signal(signal.SIGTERM) and self._process.poll() is None:
                self._process.wait(GRACE_SECONDS)
            deadline = time.monotonic() + REST_SECONDS
            while self._signal(0) and time.monotonic() < deadline:
                time.sleep(0.01)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._signal(signal.SIGKILL)
            self._process.wait()
            if self._watch is not None:
                self._watch.over()

    def _signal(self, number: int) -> bool:
        """Whether there was anybody in the group to be told."""
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def check(self, code: int) -> None:
        """Look at how it ended.

        Args:
            code: From `exit_code`.

        Raises:
            RunFailedError: Badly.
        """
        if code:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise RunFailedError(self.told(how))

    def told(self, what: str) -> str:
        """What happened, with the last lines of output, in one line.

        Args:
            what: The rest of a sentence about the command.
        """
        lines = " | ".join(self.last_lines()) or "(none)"
        return f"the command {what}; its last lines: {lines}; all of them are in {self.output}"

    def last_lines(self) -> list[str]:
        """The end of its output, for whoever looks for its fault."""
        with self.output.open(encoding="utf-8", errors="replace") as lines:
            return [line.strip()[:LONGEST] for line in deque(filter(str.strip, lines), LAST_LINES)]


def _started(words: Sequence[str], output: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with output.open("wb") as file:
        try:
            return subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
                # What is printed line by line shall be read line by line.
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            )  # fmt: skip
        except OSError as error:
            rule = f"cannot be started: {error.strerror or error}"
            raise input_error("study file", rule, key="command.run", received=f'"{words[0]}"') from None
