"""Who trains a trial, and whether that process still lives."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True)
class Worker:
    """A process, told apart from every other one on every machine at every time.

    Attributes:
        host: Name of the machine; for people, since two machines may have the same one.
        boot: Which start of which machine, and in which container of it: where `pid` means something.
        pid: Process id.
        started: When the process started, in seconds after the machine did where the system tells (Linux), else by its
            clock; process ids are used again.
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
        False also for a process on another machine, in another container, or from before this machine was started
        again: only its heartbeat tells.
    """
    if not isinstance(worker, dict) or worker.get("boot") != _boot():
        return False
    try:
        process = psutil.Process(int(worker["pid"]))
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        return abs(_started(process) - float(worker["started"])) > 1
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def is_on_this_machine(worker: object) -> bool:
    """Whether a process runs, or ran, on this machine since its last start, in whichever container.

    Args:
        worker: What a trial stores of it.
    """
    boot = worker.get("boot") if isinstance(worker, dict) else None
    return isinstance(boot, str) and boot.split(" ")[0] == _boot().split(" ")[0]


def is_other(worker: object, this: Mapping[str, Any]) -> bool:
    """Whether a trial was trained by another process than this one.

    Args:
        worker: What the trial stores of it; of another tool's trial nothing is known.
        this: This process.
    """
    return isinstance(worker, dict) and any(worker.get(key) != this[key] for key in ("boot", "pid", "started"))


@cache
def _this_process(pid: int) -> tuple[str, str, int, float]:
    return socket.gethostname(), _boot(), pid, _started(psutil.Process(pid))


def _started(process: psutil.Process) -> float:
    """Linux counts from the machine's start. By the clock it would move whenever that is set right."""
    began = process.create_time()
    return began - psutil.boot_time() if psutil.LINUX else began


@cache
def _boot() -> str:
    """Linux names each start of the machine and each space of process ids; elsewhere name and time have to do."""
    named, space = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if not named.is_file():
        return f"{socket.gethostname()} {round(psutil.boot_time())}"
    return " ".join([named.read_text().strip(), *([space.readlink().name] if space.is_symlink() else [])])
