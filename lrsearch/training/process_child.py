"""What a training process does: it trains the segments that it is given, until the pipe to it is closed."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

from lrsearch.errors import InputError, LrsearchError
from lrsearch.tasks.task import Task
from lrsearch.training import wire
from lrsearch.training.lane_checkpoints import LaneCheckpoints
from lrsearch.training.segment import Segment, train_segment
from lrsearch.training.wire import Drop, Prepare, Ready, Refused, Said

Build = Callable[[Any, Callable[[str], None]], tuple[Task, LaneCheckpoints]]
"""Makes a task, on its device, of a recipe; the second argument takes what a person should know."""


def serve(build: Build) -> None:
    """Train what comes on stdin, and tell on stdout what becomes of it.

    Args:
        build: Makes the task.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is the run's; it closes the pipe
    orders, answers = _own_streams()
    child = _Child(orders, answers, build)
    wire.send(answers, Ready())
    child.work()


class _Child:
    def __init__(self, orders: BinaryIO, answers: BinaryIO, build: Build) -> None:
        self._orders, self._answers, self._build = orders, answers, build
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._dropped: set[int] = set()
        self._task: tuple[Task, LaneCheckpoints] | None = None
        threading.Thread(target=self._read, name="orders", daemon=True).start()

    def work(self) -> None:
        """Do what is ordered, one thing after the other."""
        while True:
            order = self._inbox.get()
            try:
                if isinstance(order, Prepare):
                    self._task = self._build(order.recipe, self._say)
                else:
                    self._train(order)
            except InputError as error:
                self._answer(Refused(str(error), error.source, error.faults))
            except LrsearchError as error:
                self._answer(Refused(str(error)))

    def _train(self, segment: Segment) -> None:
        assert self._task is not None
        task, checkpoints = self._task
        for message in train_segment(task, segment, checkpoints, lambda: segment.work not in self._dropped):
            self._answer(message)
        self._dropped.discard(segment.work)

    def _say(self, text: str) -> None:
        self._answer(Said(text))

    def _answer(self, message: Any) -> None:
        try:
            wire.send(self._answers, message)
        except OSError:
            os._exit(1)

    def _read(self) -> None:
        """In a thread of its own, so that the end of the run is noticed in the middle of an update."""
        while True:
            try:
                order = wire.receive(self._orders)
            except (EOFError, OSError):
                # No clean-up: what trains cannot be waited for, and nothing that it has matters any more.
                os._exit(0)
            if isinstance(order, Drop):
                self._dropped.add(order.work)
            else:
                self._inbox.put(order)


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipes, out of reach of what a person's code prints: that goes to stderr."""
    orders, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as the process lives
    return os.fdopen(orders, "rb"), os.fdopen(answers, "wb")
