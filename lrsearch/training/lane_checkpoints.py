"""Checkpoints of lanes that take long, so that a crash costs minutes of training and no more.

They lie in a folder of this machine's cache. A file's name is a hash of all that decides about a lane's bits, so a
trial that is run again finds what its forerunner left, whatever its number. A file is removed when its trial ends; what
nobody came back for, after a month.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch

from lrsearch import atomic_file, version
from lrsearch.errors import InputError
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.checkpoint import NO_TORCH_FILE, resumed, state_of
from lrsearch.training.lane import Lane
from lrsearch.training.loop import device_of
from lrsearch.training.resumable import KEPT_ELSEWHERE, is_resumable
from lrsearch.training.run import Before, Run

DAYS = 30
"""After so many a file that nobody came back for is removed."""
SUFFIX = ".checkpoint"
_NO_MATTER = ("seeds", "checkpoint_minutes", "loader_workers")
"""Keys of the training section that change no bit of one lane."""


def cache_folder() -> Path:
    """Where checkpoints of this person on this machine are."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification: a path that is not absolute counts as none.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "lrsearch" / "checkpoints"


class LaneCheckpoints:
    """The checkpoints of one study on this machine.

    Args:
        study: What tells the study, and the code of its task, from all others; None for no checkpoints.
        say: Where a person is told, once, why there are none.
        folder: Where they lie; `cache_folder` by default.
    """

    def __init__(
        self,
        study: str | None,
        say: Callable[[str], None] = lambda text: None,  # noqa: ARG005
        folder: Path | None = None,
    ) -> None:
        self.study = study
        self._say = say
        self._folder = folder
        self._is_usable: bool | None = None if study is not None else False

    def of(self, task: Task, lane: Lane, training: TrainingSection) -> LaneCheckpoint:
        """The checkpoint of a lane, which need not be there.

        Args:
            task: What is trained, on its device.
            lane: Settings and seed.
            training: Epochs, batch size, optimizer, and how often it is saved.
        """
        return LaneCheckpoint(self, task, lane, training)

    def file(self, lane: Lane, training: TrainingSection, device: str) -> Path | None:
        """Where a lane's checkpoint is, or would be; None if there are none."""
        if self._is_usable is False:
            return None
        decides = {
            "study": self.study,
            "lane": [lane.lr.hex(), lane.schedule.name, lane.schedule.values(), lane.seed],
            "training": {key: value for key, value in training.model_dump().items() if key not in _NO_MATTER},
            "arithmetic": [version.__version__, torch.__version__, torch.get_num_threads(), device],
            "machine": socket.gethostname(),
        }
        name = hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()[:32]
        try:
            return (self._folder or cache_folder()) / f"{name}{SUFFIX}"
        except RuntimeError:  # nobody knows this person's home folder
            self._give_up("there is no home folder, and XDG_CACHE_HOME is not set")
            return None

    def forget(self, lane: Lane, training: TrainingSection, device: str) -> None:
        """Remove a lane's checkpoint, if it has one: the lane is not trained any more.

        Args:
            lane: Settings and seed.
            training: Epochs, batch size, optimizer.
            device: Kind of the device that trained it.
        """
        file = self.file(lane, training, device)
        if file is not None:
            with suppress(OSError):
                file.unlink(missing_ok=True)
                for left in atomic_file.parts_of(file):
                    left.unlink(missing_ok=True)  # of a process that was killed while it wrote

    def write(self, file: Path, run: Run) -> None:
        """Save a run; where that is not possible, say so once and save none any more."""
        if self._is_usable is None:
            self._is_usable = is_resumable(run.task, run.training, device_of(run.model))
            if not self._is_usable:
                self._give_up(KEPT_ELSEWHERE)
        if not self._is_usable:
            return
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _remove_old(file.parent)
            atomic_file.write(file, state_of(run), durable=True)
        except OSError as error:
            self._give_up(f"{file.parent} cannot be written: {error.strerror or error}")

    def _give_up(self, reason: str) -> None:
        self._is_usable = False
        self._say(f"No checkpoints of long trials: {reason}.")


class LaneCheckpoint:
    """The checkpoint of one lane; see `LaneCheckpoints.of`."""

    def __init__(self, all_lanes: LaneCheckpoints, task: Task, lane: Lane, training: TrainingSection) -> None:
        self._all, self._task, self._lane, self._training = all_lanes, task, lane, training
        self._file: Path | None = None
        self._device = "cpu"
        self._unsaved = 0.0

    def further(self, run: Run, begin: Callable[[Before | None], Run]) -> Run:
        """The run that was saved, if it is the same one and has got further; otherwise the run itself.

        Args:
            run: Where training stands without it.
            begin: Begins the same run anew.
        """
        self._device = device_of(run.model).type
        self._file = self._all.file(self._lane, self._training, self._device)
        if self._file is None or not self._file.is_file():
            return run
        try:
            saved = resumed(self._file.read_bytes(), begin)
        except (OSError, InputError, *NO_TORCH_FILE):  # cut off by a crash, or another program's
            return run
        # To the last bit: with other data, or other code, it would not be the same run.
        if _numbers(saved.before) != _numbers(run.before) or saved.epoch <= run.epoch:
            return run
        return saved

    def note(self, run: Run) -> None:
        """Save a run that has been trained for long enough since it was saved last."""
        if self._file is None or (run.epoch == self._training.epochs and self._task.details):
            return  # details are in no checkpoint, so the last epoch of such a task is trained again
        self._unsaved += run.records[-1].seconds
        if self._unsaved < 60 * self._training.checkpoint_minutes:
            return
        self._unsaved = 0.0
        self._all.write(self._file, run)

    def forget(self) -> None:
        """Remove the file."""
        if self._file is not None:
            self._all.forget(self._lane, self._training, self._device)


def _numbers(before: Before) -> str:
    """What was measured, as text, in which NaN is NaN."""
    return repr((before.train_loss, before.train_metric, before.test_metric, sorted(before.extra.items())))


def _remove_old(folder: Path) -> None:
    for file in [*folder.glob(f"*{SUFFIX}"), *folder.glob(f".*{SUFFIX}.*.part")]:
        with suppress(FileNotFoundError):  # its trial has ended meanwhile
            if time.time() - file.stat().st_mtime > DAYS * 86400:
                file.unlink()
