"""The training processes of one run: started when there is work for them, kept until the run ends.

They are programs of their own, not forks, so that neither threads nor a graphics processor stand in the way; and not
Python's `multiprocessing`, which would import the person's script once more in each of them.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from lrsearch.errors import InputError, LrsearchError
from lrsearch.tasks.task import Task
from lrsearch.training import wire
from lrsearch.training.segment import Lost, Message, Segment, Told
from lrsearch.training.wire import Drop, Prepare, Ready, Refused, Said

END_SECONDS = 5.0
"""Seconds that a process gets to notice that its pipe is closed."""
CANNOT_START = "a training process cannot start"
LAST_LINES = 20
"""Lines of a process's stderr that are kept for a message."""


class TrainingProcesses:
    """Processes that train for one run.

    Args:
        program: What each of them runs, as the arguments of Python.
        environments: For each of them, what its environment has beside this process's own.
        say: Where a person is told what they say.
    """

    def __init__(
        self, program: Sequence[str], environments: Sequence[Mapping[str, str]], say: Callable[[str], None]
    ) -> None:
        self._command = [sys.executable, *program]
        self._say = say
        self._said: set[str] = set()
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.processes = [TrainingProcess(self._command, own, self.events) for own in environments]

    def __enter__(self) -> TrainingProcesses:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def crew(self, recipe: Any) -> ProcessCrew:
        """Those who train a task.

        Args:
            recipe: What says how each process makes the task.
        """
        return ProcessCrew(self, recipe)

    def say_once(self, text: str) -> None:
        """Tell a person what several processes may say."""
        if text not in self._said:
            self._said.add(text)
            self._say(text)

    def close(self) -> None:
        """End all processes, whatever they are at."""
        for process in self.processes:
            process.close()


Event = tuple["TrainingProcess", "subprocess.Popen[bytes]", Any]
"""From whom, which of the programs that it has run, and its message; or how it ended, as a number."""


class TrainingProcess:
    """One process, started when it is first needed, and again after it died.

    Args:
        command: Its command line.
        environment: What its environment has beside this process's own.
        events: Takes what it says, and how it ended.

    Attributes:
        work: The segment that it trains; None for none.
        recipe: Of the task that it has built.
        is_ready: Whether it has said that it has started.
        is_dropped: Whether nobody wants its segment any more.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], events: queue.SimpleQueue[Event]
    ) -> None:
        self._command, self._environment, self._events = command, environment, events
        self._process: subprocess.Popen[bytes] | None = None
        self._readers: list[threading.Thread] = []
        self.work: int | None = None
        self.recipe: Any = None
        self.is_ready = self.is_dropped = False
        self.lines: deque[str] = deque(maxlen=LAST_LINES)

    def runs(self, program: subprocess.Popen[bytes]) -> bool:
        """Whether a program is the one that it runs now; of a former one nothing matters any more."""
        return program is self._process

    @property
    def pid(self) -> int | None:
        """The process's id; None where none runs."""
        return None if self._process is None else self._process.pid

    def train(self, recipe: Any, segment: Segment) -> None:
        """Let it train a segment.

        Args:
            recipe: Of the segment's task.
            segment: Which lane, from where, and how far.
        """
        # Noted first: a signal may come while the pipe is written.
        self.work, self.is_dropped = segment.work, False
        if self._process is None:
            self._start()
        if recipe != self.recipe:
            self.recipe = recipe
            self.send(Prepare(recipe))
        self.send(segment)

    def send(self, message: Any) -> None:
        """Write a message to it; where it is gone, that is told as an event."""
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(OSError):
            wire.send(self._process.stdin, message)  # type: ignore[arg-type]

    def lost(self) -> None:
        """The process is gone: the next segment needs another one."""
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(OSError):  # what was not read any more
            self._process.stdin.close()
        self._process, self.recipe, self.is_ready, self.work = None, None, False, None

    def close(self) -> None:
        """End the process, whatever it is at."""
        process, self._process = self._process, None
        self.recipe, self.is_ready, self.work = None, False, None
        if process is None:
            return
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for reader in self._readers:
            reader.join(END_SECONDS)

    def _start(self) -> None:
        # A session of its own: ctrl-C reaches the run alone, which then lets go of the processes.
        try:
            self._process = process = subprocess.Popen(
                self._command, env={**os.environ, **self._environment}, start_new_session=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise LrsearchError(f"{CANNOT_START}: {error.strerror or error}") from error
        self.lines.clear()
        assert process.stdout is not None
        assert process.stderr is not None
        told = threading.Thread(target=self._read, args=(process, process.stdout), daemon=True)
        written = threading.Thread(target=self._pass_on, args=(process.stderr,), daemon=True)
        self._readers = [told, written]
        for reader in self._readers:
            reader.start()
        threading.Thread(target=self._wait, args=(process, told, written), daemon=True).start()

    def _read(self, process: subprocess.Popen[bytes], stream: BinaryIO) -> None:
        with stream, suppress(EOFError, OSError):
            while True:
                self._put(process, wire.receive(stream))

    def _pass_on(self, stream: BinaryIO) -> None:
        """What a person's code writes to stderr is hers to see; what comes before, a message may need."""
        with stream:
            self._pass_on_lines(stream)

    def _pass_on_lines(self, stream: BinaryIO) -> None:
        for line in stream:
            text = line.decode(errors="replace")
            self.lines.append(text.rstrip())
            if self.is_ready:
                sys.stderr.write(text)

    def _wait(self, process: subprocess.Popen[bytes], *readers: threading.Thread) -> None:
        code = process.wait()
        for reader in readers:
            reader.join(END_SECONDS)  # processes that it has started may hold its pipes open
        self._put(process, code)

    def _put(self, process: subprocess.Popen[bytes], message: Any) -> None:
        self._events.put((self, process, message))


class ProcessCrew:
    """Training processes that train one task.

    Args:
        processes: They; other crews may have them at other times.
        recipe: What says how each of them makes the task.
    """

    def __init__(self, processes: TrainingProcesses, recipe: Any) -> None:
        self._all, self._recipe = processes, recipe

    @property
    def is_free(self) -> bool:
        """See `crew.Crew.is_free`."""
        return any(process.work is None for process in self._all.processes)

    def begin(self, task: Task, segment: Segment) -> None:
        """See `crew.Crew.begin`."""
        next(process for process in self._all.processes if process.work is None).train(self._recipe, segment)

    def next(self) -> Message:
        """See `crew.Crew.next`."""
        while True:
            process, program, event = self._all.events.get()
            if not process.runs(program):
                continue
            match event:
                case Ready():
                    process.is_ready = True
                case Said(text=text):
                    self._all.say_once(text)
                case Refused():
                    raise _refusal(event)
                case int():
                    if (lost := self._lost(process, event)) is not None:
                        return lost
                case _:
                    if not isinstance(event, Told) and event.work == process.work:
                        process.work = None
                    message: Message = event
                    return message

    def drop(self, work: int) -> None:
        """See `crew.Crew.drop`."""
        for process in self._all.processes:
            if process.work == work:
                process.is_dropped = True
                process.send(Drop(work))

    def abandon(self) -> None:
        """See `crew.Crew.abandon`."""
        for process in self._all.processes:
            if process.work is not None and not process.is_dropped:
                # It may be in the middle of a long epoch, or of half a message that a signal cut off.
                process.close()

    def _lost(self, process: TrainingProcess, code: int) -> Lost | None:
        work, was_ready = process.work, process.is_ready
        process.lost()
        if not was_ready and code >= 0:
            last = next((line for line in reversed(process.lines) if line), f"exit code {code}")
            raise LrsearchError(f"{CANNOT_START}: {last}")
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return None if work is None else Lost(work, how)


def _refusal(event: Refused) -> LrsearchError:
    return LrsearchError(event.text) if event.source is None else InputError(event.source, event.faults)
