"""Several worker processes on one machine: start them, restart the one that died, end them all."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lrsearch.errors import InterruptedRunError, LrsearchError
from lrsearch.signals import Interruption

RESTARTS = 5
"""So often a worker is restarted before it is given up."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a restart: they grow from the first to the longest."""
PATIENCE = 10.0
"""Seconds that workers get to hand their trials back."""
LOOK_AGAIN = 0.2
"""Seconds between two looks at the workers."""


@dataclass
class Child:
    """One worker: its process, and how often it had to be restarted."""

    index: int
    process: subprocess.Popen[bytes]
    restarts: int = 0
    due: float | None = field(default=None)

    @property
    def died(self) -> bool:
        """Ended by a signal: the machine's doing, not an answer of the program."""
        code = self.process.returncode
        return code is not None and (code < 0 or code > 130)


class Supervisor:
    """Keeps worker processes running until each has ended by itself.

    Args:
        command: The worker's command line. Nothing secret: everybody on the machine can read it.
        environments: For each worker, what its environment has beside this process's own.
        interruption: Where signals are looked for.
        say: Where a person is told of restarts.
        heard: Takes every line that a worker writes to stderr. Workers that are heard can be tied to this process:
            their stdin ends when it does. By default they write to this process's stderr.
    """

    def __init__(
        self,
        command: Sequence[str],
        environments: Sequence[Mapping[str, str]],
        interruption: Interruption,
        say: Callable[[str], None],
        heard: Callable[[str], None] | None = None,
    ) -> None:
        self._command = list(command)
        self._environments = environments
        self._interruption = interruption
        self._say, self._heard = say, heard
        self._readers: list[threading.Thread] = []
        self.children = [Child(index, self._start(index)) for index in range(len(environments))]

    def watch(self) -> Iterator[None]:
        """Yield now and then while workers run.

        Raises:
            InterruptedRunError: A signal came; every worker has handed its trials back or was ended.
            LrsearchError: A worker failed, or died too often.
        """
        try:
            while any(self._lives(child) for child in self.children):
                with self._interruption.open():
                    time.sleep(LOOK_AGAIN)
                yield
        except (InterruptedRunError, GeneratorExit):
            self.end()
            raise
        for reader in self._readers:
            reader.join(PATIENCE)
        failed = [child for child in self.children if child.process.returncode not in (0, None)]
        if failed:
            codes = ", ".join(f"worker {child.index}: exit code {child.process.returncode}" for child in failed)
            raise LrsearchError(f"not every worker ended well ({codes}); what was finished is stored")

    def end(self) -> None:
        """Ask all workers to hand back their trials, and end those that do not."""
        for child in self.children:
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + PATIENCE
        for child in self.children:
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self._environments[index]}
        # A session of its own: ctrl-C reaches the supervisor alone, which then asks each worker once.
        process = subprocess.Popen(
            self._command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL if self._heard is None else subprocess.PIPE,
            stderr=None if self._heard is None else subprocess.PIPE,
        )  # fmt: skip
        if self._heard is not None:
            reader = threading.Thread(target=_pass_on, args=(process, self._heard), daemon=True)
            reader.start()
            self._readers.append(reader)
        return process

    def _lives(self, child: Child) -> bool:
        """Whether a worker runs, or will again after its pause."""
        if child.due is not None:
            if time.monotonic() >= child.due:
                child.due, child.process = None, self._start(child.index)
            return True
        if child.process.poll() is None:
            return True
        if not child.died or child.restarts == RESTARTS:
            return False
        pause = min(FIRST_PAUSE * 2**child.restarts, LONGEST_PAUSE)
        child.restarts += 1
        child.due = time.monotonic() + pause
        how = f"signal {-child.process.returncode}" if child.process.returncode < 0 else child.process.returncode
        self._say(f"Worker {child.index} died ({how}); restarting it in {pause:g} s ({child.restarts} of {RESTARTS}).")
        return True


def _pass_on(process: subprocess.Popen[bytes], heard: Callable[[str], None]) -> None:
    assert process.stdin is not None
    assert process.stderr is not None
    with process.stdin, process.stderr as lines:
        for line in lines:
            heard(line.decode(errors="replace").rstrip())
