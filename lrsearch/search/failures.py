"""Failed trials in a row: when to brake, and whether it is the settings or this machine that is at fault.

A process brakes at each failure that follows `FAILURES_IN_A_ROW` others without a good trial between them, and tries
one trial at a time then. Where other processes train the study well meanwhile, the fault is this machine's: then what
failed in the row is handed back, and counts as never trained.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

import psutil
import torch
from optuna.trial import TrialState

from lrsearch.errors import LrsearchError
from lrsearch.search.events import TrialEnded
from lrsearch.storage.liveness import Worker
from lrsearch.storage.reader import StudyReader
from lrsearch.storage.store import TrialStore
from lrsearch.training.devices import describe

FAILURES_IN_A_ROW = 3
"""After so many failed trials without a good one between them the fault is not in single settings."""
AT_FAULT = "failed on a machine where all fails, while others train the study"
"""Why settings are handed back."""


HANDED_BACK = ". Others train this study, so what failed here is handed back to them"


class FailuresInARowError(LrsearchError):
    """Trials fail one after the other."""


class FailureStreak:
    """The failures of one study in this process since its last good trial.

    Args:
        reader: Reads the study.
        store: Hands settings back.
        device: What trains here.
    """

    def __init__(self, reader: StudyReader, store: TrialStore, device: torch.device) -> None:
        self._reader, self._store, self._device = reader, store, device
        self._numbers: list[int] = []
        self._length = 0
        self._last: str | None = None

    @property
    def is_braking(self) -> bool:
        """Whether one trial at a time is tried."""
        return self._length >= FAILURES_IN_A_ROW

    def take(self, ended: TrialEnded) -> None:
        """Take note of a trial that was trained here.

        Args:
            ended: How it ended.

        Raises:
            FailuresInARowError: It is one failure too many.
        """
        if ended.state != TrialState.FAIL:
            self._numbers, self._length, self._last = [], 0, None
            return
        self._numbers.append(ended.number)
        self._length += 1
        self._last = ended.error
        if self.is_braking:
            handed_back = self.hand_back()
            raise FailuresInARowError(self._told(handed_back))

    def hand_back(self) -> bool:
        """Let others train what failed in the row, if they train the study well.

        Returns:
            Whether they do, so that this machine is at fault.
        """
        if not self.is_braking or not self._reader.others_succeed(Worker.this().as_dict()):
            return False
        if self._numbers:
            self._store.retry(self._numbers, AT_FAULT, at_fault=True)
            self._numbers = []
        return True

    def _told(self, handed_back: bool) -> str:
        told = f"{self._length} trials failed one after the other; the last: {self._last}. {machine(self._device)}"
        return told + HANDED_BACK if handed_back else told


def machine(device: torch.device) -> str:
    """What this machine has, in a sentence, for whoever looks for its fault.

    Args:
        device: What trains here.
    """
    memory = psutil.virtual_memory()
    has = [
        describe(device),
        f"torch {torch.__version__}",
        f"{psutil.cpu_count()} CPUs",
        _free(memory.available, memory.total),
    ]
    if device.type == "cuda":
        has.insert(1, _asked(lambda: _free(*torch.cuda.mem_get_info(device))) + " on it")
    return f"This machine, {socket.gethostname()}, has: {', '.join(has)}"


def _free(available: int, total: int) -> str:
    return f"{available / 2**30:.1f} of {total / 2**30:.1f} GiB of memory free"


def _asked(question: Callable[[], str]) -> str:
    """What a graphics processor answers, which may be what is broken."""
    try:
        return question()
    except RuntimeError as error:
        return f"no answer ({str(error).splitlines()[0]})"
