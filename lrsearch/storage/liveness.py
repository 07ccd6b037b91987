"""Who trains a trial, and whether that process still lives."""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True)
class Worker:
    """A process, told apart from every other one on every machine at every time.

    Attributes:
        host: Name of the machine.
        boot: Which start of the machine.
        pid: Process id.
        started: When the process started, in seconds; process ids are used again.
        claim: Which of its claims a trial came with, so that a claim that is repeated after a lost connection
            finds what it has already got.
    """

    host: str
    boot: str
    pid: int
    started: float
    claim: str

    @classmethod
    def this(cls) -> Worker:
        """This process, with a new claim."""
        return cls(*_this_process(os.getpid()), claim=uuid.uuid4().hex)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def is_dead(worker: dict[str, Any] | None) -> bool:
    """Whether a process is known to be gone: it was on this machine, and does not run any more.

    Args:
        worker: What a trial stores of it; None for a trial of another tool, of which nothing is known.

    Returns:
        False also for a process on another machine: only its heartbeat tells.
    """
    if not isinstance(worker, dict) or worker.get("host") != socket.gethostname():
        return False
    if worker.get("boot") != _boot():
        return True
    try:
        process = psutil.Process(int(worker["pid"]))
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        return abs(process.create_time() - float(worker["started"])) > 1
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


@cache
def _this_process(pid: int) -> tuple[str, str, int, float]:
    return socket.gethostname(), _boot(), pid, psutil.Process(pid).create_time()


@cache
def _boot() -> str:
    """Linux names each start of the machine; elsewhere its time has to do."""
    named = Path("/proc/sys/kernel/random/boot_id")
    return named.read_text().strip() if named.is_file() else str(round(psutil.boot_time()))
