"""Ctrl-C and SIGTERM: at once while a network trains, after the write while the storage is written."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO

from lrsearch.errors import InterruptedRunError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
TERMINATION_TIMEOUT = 10.0
"""Seconds that a process gets to end by itself after SIGTERM, before it is killed; workers hand their trials back."""
_catching: list[Interruption] = []
"""Those whose handlers are installed, the innermost last."""


class Interruption:
    """Catches the signals that ask a run to end.

    A signal that arrives in `open` raises there. One that arrives elsewhere waits for the next `open`, so that no
    trial is left half written. Handlers are installed explicitly, for shells start background jobs with SIGINT
    ignored.
    """

    def __init__(self) -> None:
        self.received = False
        self._number: int | None = None
        self._open = False

    @property
    def exit_code(self) -> int:
        """How a service ends: one that the system stopped did what it should; one that a person stopped says so."""
        return 130 if self._number == signal.SIGINT else 0

    @property
    def is_open(self) -> bool:
        """Whether a signal would raise now."""
        return self._open

    @contextmanager
    def caught(self) -> Iterator[Interruption]:
        """Catch the signals inside the block, and give them back to their former handlers after it.

        Python lets only the main thread do that; in another one they stay with whoever has them.
        """
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        former = {number: signal.signal(number, self._handle) for number in SIGNALS}
        _catching.append(self)
        try:
            yield self
        finally:
            _catching.remove(self)
            for number, handler in former.items():
                signal.signal(number, handler)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Inside the block a signal raises `InterruptedRunError` wherever the program is.

        Raises:
            InterruptedRunError: A signal came, inside the block or before it.
        """
        self._open = True
        try:
            self._raise_if_received()
            yield
        except InterruptedRunError:
            raise
        except Exception as error:
            # Code between here and the signal, in C often, may have made another error of ours.
            if self.received:
                raise InterruptedRunError("interrupted") from error
            raise
        finally:
            self._open = False

    @contextmanager
    def shut(self) -> Iterator[None]:
        """The contrary of `open`, inside its block; see `held`.

        Raises:
            InterruptedRunError: A signal came inside the block.
        """
        self._open = False
        try:
            yield
        finally:
            self._open = True
        self._raise_if_received()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        self._number = number
        if self._open:
            self._raise_if_received()

    def _raise_if_received(self) -> None:
        if self.received:
            raise InterruptedRunError("interrupted")


@contextmanager
def held() -> Iterator[None]:
    """Inside the block a signal waits, also where it would raise: what is made there is known before anybody ends.

    Raises:
        InterruptedRunError: A signal came meanwhile; at the end of the block.
    """
    own = _catching[-1] if _catching and threading.current_thread() is threading.main_thread() else None
    if own is None or not own.is_open:
        yield
        return
    with own.shut():
        yield


def pause(seconds: float) -> None:
    """Sleep where nothing is half done, so that a signal that asks for the end is heard at once.

    Args:
        seconds: How long.

    Raises:
        InterruptedRunError: A signal came.
    """
    own = _catching[-1] if _catching and threading.current_thread() is threading.main_thread() else None
    if own is None or own.is_open:
        time.sleep(seconds)
        return
    with own.open():
        time.sleep(seconds)


def tie_to(stream: IO[str]) -> None:
    """Let this process not outlive the one that holds the other end of a pipe, however that ends.

    When the pipe ends, this process is asked to end, and is killed if it does not. For everybody else the stream is
    empty from now on.

    Args:
        stream: This end of the pipe; nothing needs to be written to it.
    """
    # Not through the stream itself: Python would wait for this thread to let go of its lock when it ends.
    own, nowhere = os.dup(stream.fileno()), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)

    def wait() -> None:
        while os.read(own, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(TERMINATION_TIMEOUT)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="tie", daemon=True).start()
