"""Signals raise while a network trains and wait while the storage is written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from lrsearch.errors import InterruptedRunError
from lrsearch.signals import Interruption, held


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_inside_the_open_block_a_signal_raises_at_once(number: int) -> None:
    reached = []

    def train(interruption: Interruption) -> None:
        with interruption.open():
            os.kill(os.getpid(), number)
            reached.append("after")

    with Interruption().caught() as interruption, pytest.raises(InterruptedRunError):
        train(interruption)
    assert reached == []


def test_outside_it_waits_for_the_next_open_block() -> None:
    with Interruption().caught() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.received
        with pytest.raises(InterruptedRunError), interruption.open():
            pass


def test_what_is_made_while_a_signal_is_held_is_known_before_it_raises() -> None:
    made = []

    def start(interruption: Interruption) -> None:
        with interruption.open():
            with held():
                os.kill(os.getpid(), signal.SIGTERM)
                made.append("process")
            made.append("after")

    with Interruption().caught() as interruption, pytest.raises(InterruptedRunError):
        start(interruption)
    assert made == ["process"]
    with held():
        made.append("without a run")


STUBBORN = """
import signal, sys
from lrsearch import signals

signals.TERMINATION_TIMEOUT = 0.1
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
signals.tie_to(sys.stdin)
print(repr(sys.stdin.read()), flush=True)
while True:
    signal.pause()
"""


def test_one_that_is_tied_is_asked_to_end_and_then_killed_and_nobody_reads_the_pipe() -> None:
    tied = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    with tied:
        assert tied.stdin is not None
        assert tied.stdout is not None
        assert tied.stdout.readline() == "''\n"
        tied.stdin.close()
        assert tied.stdout.readline() == "asked\n"
    assert tied.returncode == -signal.SIGKILL


def test_handlers_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interruption().caught():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_an_error_that_the_signal_was_made_into_is_still_an_interruption() -> None:
    """A library that turns every exception into its own must not make a trial fail for good."""

    def train(interruption: Interruption) -> None:
        with interruption.open():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            except InterruptedRunError as error:
                raise SystemError("returned a result with an exception set") from error

    with Interruption().caught() as interruption, pytest.raises(InterruptedRunError):
        train(interruption)


def test_other_errors_stay_what_they_are() -> None:
    with Interruption().caught() as interruption, pytest.raises(ZeroDivisionError), interruption.open():
        raise ZeroDivisionError
