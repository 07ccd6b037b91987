"""The Ray actor of one worker: it runs the worker on a machine of the cluster, and hands on what it writes."""

from __future__ import annotations

import os
import queue
import socket
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from lrsearch.errors import InterruptedRunError, LrsearchError
from lrsearch.launch.processes import LRSEARCH
from lrsearch.launch.ray import code_bundle
from lrsearch.launch.ray.code_bundle import Source
from lrsearch.launch.supervisor import Supervisor
from lrsearch.signals import Interruption

OUTPUT_TIMEOUT = 5.0
"""Seconds for which a call waits for a line, so that nobody has to call all the time."""
ERROR = "Error: "
"""How the command line begins what it ends with."""


@dataclass(frozen=True)
class Assignment:
    """What a worker of a cluster does.

    Attributes:
        study: Name of the study.
        storage: Its storage's URL, which may hold a password: it shows in no repr, and travels in no command line.
        flags: Options of `study run` for the worker.
        code: The person's own code.
        workers: How many workers share the study.
        threads: CPU threads of each.
        ends: Moment, in seconds since 1970, after which no further trial is taken; None for no limit. A worker that
            is started again has only what is left.
    """

    study: str
    storage: str = field(repr=False)
    flags: tuple[str, ...]
    code: tuple[Source, ...] = field(repr=False)
    workers: int
    threads: int
    ends: float | None = None


@dataclass(frozen=True)
class WorkerExit:
    """How a worker ended.

    Attributes:
        host: The machine.
        code: The exit code of `lrsearch study run`; negative for a signal.
        reason: What it said last, where that was an error.
    """

    host: str
    code: int
    reason: str = ""


@dataclass(frozen=True)
class Output:
    """What a worker has written since the last call.

    Attributes:
        host: The machine where its actor is.
        pid: The actor's process; another one once Ray has started it again.
        lines: What the worker wrote to stderr, without the error that it ends with.
    """

    host: str
    pid: int
    lines: tuple[str, ...]


class WorkerActor:
    """Runs one worker as a process of its own until the study's budget is met.

    Its methods are called from several threads: `run` lasts as long as the worker.

    Args:
        assignment: What the worker does.
    """

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._interruption = Interruption()
        self._lines: queue.Queue[str] = queue.Queue()
        self._errors: list[str] = []
        self._is_placed = False

    def run(self) -> WorkerExit:
        """Run the worker to its end.

        Ray calls it again where the actor died. The worker then goes on, for the budget is the study's.

        Returns:
            How it ended; a worker that was asked to end has ended well.
        """
        with tempfile.TemporaryDirectory(prefix="lrsearch-") as folder:
            supervisor = Supervisor(
                self._command(Path(folder)), [self._environment()], self._interruption, self._lines.put, self._take
            )
            try:
                for _ in supervisor.watch():
                    pass
            except InterruptedRunError:
                return WorkerExit(socket.gethostname(), 0)
            except LrsearchError:
                pass  # the worker's own words say more
            [code] = supervisor.exit_codes
        assert code is not None
        return WorkerExit(socket.gethostname(), code, "\n".join(self._errors))

    def read_output(self) -> Output:
        """What the worker has written since the last call; waits a moment if that is nothing.

        The first call answers at once: it tells where the actor is.
        """
        lines = []
        try:
            lines.append(self._lines.get(timeout=OUTPUT_TIMEOUT if self._is_placed else 0.001))
            while True:
                lines.append(self._lines.get_nowait())
        except queue.Empty:
            pass
        self._is_placed = True
        return Output(socket.gethostname(), os.getpid(), tuple(lines))

    def stop(self) -> None:
        """Let the worker hand back what it trains, and end."""
        self._interruption.received = True

    def _take(self, line: str) -> None:
        """An error, which may go on for several lines, is what the worker ends with."""
        if line.startswith(ERROR):
            self._errors = [line.removeprefix(ERROR)]
        elif self._errors:
            self._errors.append(line)
        else:
            self._lines.put(line)

    def _command(self, folder: Path) -> list[str]:
        assignment = self._assignment
        loaded = [word for source in code_bundle.unpack(assignment.code, folder) for word in ("--load", source)]
        left = [] if assignment.ends is None else ["--timeout", str(max(0.0, assignment.ends - time.time()))]
        program = [*LRSEARCH, "study", "run", assignment.study]
        return [*program, *assignment.flags, *loaded, *left, "--one-of", str(assignment.workers)]

    def _environment(self) -> dict[str, str]:
        """Threads are counted by libraries when they are loaded, hence before the worker starts."""
        threads = str(self._assignment.threads)
        return {"LRSEARCH_STORAGE": self._assignment.storage, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
