"""Child processes that belong together: started, watched, started again after a death, and ended together."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import environ

from lrsearch.signals import TERMINATION_TIMEOUT, Interruption

LRSEARCH = (sys.executable, "-m", "lrsearch", "--tied")
"""This program as a child process of itself; it ends when the process that started it does, however that ends."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a process is started again: they double from the first to the longest."""
STEADY = 60.0
"""Seconds after which a process that runs has got over its former deaths."""
LOOK_AGAIN = 0.2
"""Seconds between two looks at the processes."""


@dataclass(frozen=True)
class Program:
    """What a child process runs.

    Attributes:
        name: What a person calls it.
        command: Its command line. Nothing secret: everybody on the machine can read it.
        environment: What its environment has beside this process's own.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass
class ChildProcess:
    """A program, and the process that runs it now.

    Attributes:
        program: What runs.
        process: The process; None before the first start, during a pause, and after the end.
        started_at: When it was started.
        restarts: How often in all it was started again.
        deaths: How often it died without having run steadily in between.
        due: When it is started again.
        exit_code: How it ended last; negative for a signal, None before its first end.
        over: Whether it has ended and is not started again.
    """

    program: Program
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    restarts: int = 0
    deaths: int = 0
    due: float = 0.0
    exit_code: int | None = None
    over: bool = False
    reader: threading.Thread | None = field(default=None, repr=False)

    @property
    def ending(self) -> str:
        """In words how it ended last."""
        assert self.exit_code is not None
        return f"signal {-self.exit_code}" if self.exit_code < 0 else f"exit code {self.exit_code}"


class ChildProcesses:
    """Keeps programs running until each is over, or until somebody ends them all.

    The stdin of each process ends when this process does, however that ends; see `LRSEARCH`.

    Args:
        programs: What runs, each as one process.
        interruption: Where signals are looked for.
        wanted: Whether a process that has ended by itself is started again. What it raises ends the others.
        announce: Is told of a process that has ended, and of the seconds until it is started again.
        take_output: Takes a program's name and each line that it writes to stderr. By default the programs write to
            this process's stderr.
        limit: So often a program is started again before it is given up; None for no limit.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        interruption: Interruption,
        wanted: Callable[[ChildProcess], bool],
        announce: Callable[[ChildProcess, float], None],
        take_output: Callable[[str, str], None] | None = None,
        *,
        limit: int | None = None,
    ) -> None:
        self.children = [ChildProcess(program) for program in programs]
        self._interruption = interruption
        self._wanted, self._announce, self._take_output = wanted, announce, take_output
        self._limit = limit

    def watch(self) -> Iterator[None]:
        """Start all, and yield now and then until all are over. However this ends, no process is left.

        Raises:
            InterruptedRunError: A signal came.
        """
        try:
            while self._look():
                yield
                with self._interruption.open():
                    time.sleep(LOOK_AGAIN)
        finally:
            self._end()

    def _look(self) -> bool:
        """Do what each process needs; tells whether any runs, or will."""
        for child in self.children:
            if child.over:
                continue
            if child.process is None:
                if time.monotonic() >= child.due:
                    self._start(child)
            elif child.process.poll() is not None:
                self._ended(child)
            elif time.monotonic() - child.started_at > STEADY:
                child.deaths = 0
        return not all(child.over for child in self.children)

    def _start(self, child: ChildProcess) -> None:
        program = child.program
        # A session of its own: ctrl-C reaches this process alone, which then asks each child once.
        child.process = subprocess.Popen(
            program.command, env={**environ, **program.environment}, text=True, errors="replace",
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=None if self._take_output is None else subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        child.started_at = time.monotonic()
        if self._take_output is not None:
            arguments = (child.process, program.name, self._take_output)
            child.reader = threading.Thread(target=_read_output, args=arguments, daemon=True)
            child.reader.start()

    def _ended(self, child: ChildProcess) -> None:
        _clear(child)
        if child.restarts == self._limit or not self._wanted(child):
            child.over = True
            return
        pause = min(FIRST_PAUSE * 2 ** min(child.deaths, 10), LONGEST_PAUSE)
        child.deaths += 1
        child.restarts += 1
        child.due = time.monotonic() + pause
        self._announce(child, pause)

    def _end(self) -> None:
        """Ask all processes to end, and kill those that do not."""
        for child in self.children:
            if child.process is not None:
                child.process.terminate()
        deadline = time.monotonic() + TERMINATION_TIMEOUT
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            _clear(child)


def _read_output(process: subprocess.Popen[str], name: str, take: Callable[[str, str], None]) -> None:
    assert process.stderr is not None
    with process.stderr as lines:
        for line in lines:
            take(name, line.rstrip())


def _clear(child: ChildProcess) -> None:
    """Let go of a process that has ended, once its last lines are read."""
    assert child.process is not None
    if child.reader is not None:
        # A process that it has started may hold its stderr open.
        child.reader.join(TERMINATION_TIMEOUT)
    if child.process.stdin is not None:
        child.process.stdin.close()
    child.exit_code = child.process.returncode
    child.process = child.reader = None
