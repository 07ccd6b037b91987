"""What the environment hands to a command: streams, working directory, settings of libraries. Each is input.

A command must end in one message whatever it finds there: a closed stream, a console that lacks most characters, a
folder that somebody deleted, a setting that a library does not know.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import Literal, TextIO

from lrsearch.errors import input_error

_DRAWING = "agg"
"""The only drawing of matplotlib that needs no screen; the command line writes files and opens no window."""

OUTPUT_FAILS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EBADF})
"""What the system says, without a file's name, of what is printed and cannot be written."""


def prepare() -> None:
    """Make the environment one in which every command can work.

    Raises:
        InputError: The working directory is gone.
    """
    _open_streams()
    os.environ["MPLBACKEND"] = _DRAWING
    for name in ("COLUMNS", "LINES"):
        if not os.environ.get(name, "1").isdecimal():
            del os.environ[name]
    try:
        os.getcwd()
    except OSError:
        raise input_error("working directory", "does not exist any more; change to another folder") from None


def give_up_output() -> None:
    """Let what is still to be written go nowhere: who read it has gone, as `head` does."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (AttributeError, ValueError, OSError):
            continue  # a stream of a test, or one that never was
    os.close(nowhere)


def _open_streams() -> None:
    """Streams that take every character; a closed one leads nowhere."""
    # The next file that is opened would take a closed stream's place, and a database would get what is printed.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = sys.stdout or _nowhere("w")
    sys.stderr = sys.stderr or _nowhere("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def _nowhere(mode: Literal["r", "w"]) -> TextIO:
    return Path(os.devnull).open(mode, encoding="utf-8")
