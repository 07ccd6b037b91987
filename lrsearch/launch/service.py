"""Several processes of different kinds under one: those that end are started again, until somebody ends them all."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import environ
from typing import IO

from lrsearch.errors import input_error
from lrsearch.launch.supervisor import FIRST_PAUSE, LONGEST_PAUSE, LOOK_AGAIN, PATIENCE
from lrsearch.signals import Interruption

STEADY = 60.0
"""Seconds after which a process that runs has got over its former deaths."""
WRONG_INPUT = 2
"""Exit code of a process that will never run, however often it is started."""


@dataclass(frozen=True)
class Part:
    """One process of a service.

    Attributes:
        name: What a person calls it.
        command: Its command line. Nothing secret: everybody on the machine can read it.
        environment: What its environment has beside this process's own.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass
class Place:
    """A part's present process.

    Attributes:
        part: What runs here.
        process: The process; None during the pause before it is started again.
        began: When it was started.
        restarts: How often in all it was started again.
        deaths: How often it died without having run steadily in between.
        due: When it is started again.
    """

    part: Part
    process: subprocess.Popen[str] | None = None
    began: float = 0.0
    restarts: int = 0
    deaths: int = 0
    due: float = 0.0
    reader: threading.Thread | None = field(default=None, repr=False)


class Service:
    """Keeps every part running. What they write to stderr is passed on line by line.

    Args:
        parts: The processes.
        interruption: Where signals are looked for.
        say: Where a person is told what happens to them.
        heard: Takes a part's name and each line that it writes.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        interruption: Interruption,
        say: Callable[[str], None],
        heard: Callable[[str, str], None],
    ) -> None:
        self._interruption = interruption
        self._say, self._heard = say, heard
        self.places = [Place(part) for part in parts]

    def watch(self) -> Iterator[None]:
        """Start every part, and yield now and then while they run. However this ends, none of them is left.

        Raises:
            InterruptedRunError: A signal came.
            InputError: A part says at its start that its input is wrong.
        """
        try:
            while True:
                for place in self.places:
                    self._look_after(place)
                yield
                with self._interruption.open():
                    time.sleep(LOOK_AGAIN)
        finally:
            self._end()

    def _look_after(self, place: Place) -> None:
        if place.process is None:
            if time.monotonic() >= place.due:
                self._start(place)
            return
        code = place.process.poll()
        if code is None:
            if place.deaths and time.monotonic() - place.began > STEADY:
                place.deaths = 0
            return
        self._clear(place)
        # Later it means that the storage is away: what was right once is not the person's mistake.
        if code == WRONG_INPUT and not place.restarts:
            raise input_error("serve", f"the {place.part.name} cannot run; its message says why")
        pause = min(FIRST_PAUSE * 2 ** min(place.deaths, 10), LONGEST_PAUSE)
        place.deaths += 1
        place.restarts += 1
        place.due = time.monotonic() + pause
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._say(f"The {place.part.name} ended ({how}); it starts again in {pause:g} s.")

    def _start(self, place: Place) -> None:
        # A session of its own: ctrl-C reaches this process alone, which then asks each part once.
        place.process = subprocess.Popen(
            place.part.command, env={**environ, **place.part.environment}, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        place.began = time.monotonic()
        assert place.process.stderr is not None
        place.reader = threading.Thread(target=self._pass_on, args=(place.part.name, place.process.stderr), daemon=True)
        place.reader.start()

    def _pass_on(self, name: str, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self._heard(name, line.rstrip())

    def _clear(self, place: Place) -> None:
        if place.reader is not None:
            place.reader.join(PATIENCE)
        place.process = place.reader = None

    def _end(self) -> None:
        running = [place for place in self.places if place.process is not None]
        for place in running:
            assert place.process is not None
            place.process.terminate()
        deadline = time.monotonic() + PATIENCE
        for place in running:
            assert place.process is not None
            try:
                place.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                place.process.kill()
                place.process.wait()
            self._clear(place)
