"""What trains trials: lanes in, one record per epoch out, whichever engine it is."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lrsearch.errors import input_error
from lrsearch.schedules.base import Schedule
from lrsearch.study_file.model import MOST_THREADS, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.devices import moved
from lrsearch.training.loop import EpochRecord, Run, start, train

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Lane:
    """One network to train: settings and a seed.

    Attributes:
        lr: Initial learning rate.
        schedule: How it goes.
        seed: Decides initial weights and data order.
        trial: Number of its trial; None for a run that belongs to none.
        place: Where it stood in its generation; by default where it stands in the list given to the engine. The
            batched engine repeats a lane's last bits at the same place, modulo `seats.CLASSES`.
    """

    lr: float
    schedule: Schedule
    seed: int
    place: int | None = None
    trial: int | None = None


@dataclass(frozen=True)
class LaneRecords:
    """`EpochRecord` with a lane axis. The record of epoch 0 is the state before training.

    Attributes:
        epoch: Epochs finished.
        lanes: Which lanes the arrays speak of, as positions in the list given to the engine; [lanes].
        lr: Learning rate of the epoch's first update; [lanes].
        train_metric: [lanes].
        test_metric: [lanes].
        diverged: [lanes], bool; a diverged lane is not in later records, nor is one whose patience has ended.
        extra: Name -> [lanes].
        seconds: Wall-clock seconds of the epoch.
        details: The task's `details` before training and after the last epoch, empty in between; name -> [lanes,
            parts].
        stopped: Lanes that are not in later records because their patience has ended (`early_stopping`).
        evaluated: Whether the metric was looked at after this epoch; where not, it is NaN, and nothing is meant by it.
    """

    epoch: int
    lanes: tuple[int, ...]
    lr: Numbers
    train_metric: Numbers
    test_metric: Numbers
    diverged: NDArray[np.bool_]
    extra: Mapping[str, Numbers]
    seconds: float
    details: Mapping[str, Numbers] = field(default_factory=dict)
    evaluated: bool = True
    stopped: frozenset[int] = frozenset()

    @cached_property
    def row_of(self) -> dict[int, int]:
        """Lane -> its place in the arrays."""
        return {lane: row for row, lane in enumerate(self.lanes)}


LaneStream = Generator[LaneRecords, Collection[int] | None, None]
"""Yields records; ``send`` the lanes to keep, or None to keep all."""


class Engine(Protocol):
    """Trains lanes together. Which engine it is must not show in the records."""

    name: str
    device: torch.device
    together: bool
    """Whether many lanes cost little more than one, so that trials should come by the hundred."""

    def train(self, task: Task, lanes: Sequence[Lane], training: TrainingSection) -> LaneStream:
        """Train all lanes, epoch by epoch, until the last epoch or until none is left.

        Args:
            task: What is trained.
            lanes: The networks.
            training: Epochs, batch size, optimizer.
        """


class SequentialEngine:
    """Trains lanes one after the other within each epoch, with ordinary torch modules and optimizers.

    Args:
        device: Where, such as ``cpu`` or ``cuda``.
    """

    name = "sequential"
    together = False

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)

    def train(self, task: Task, lanes: Sequence[Lane], training: TrainingSection) -> LaneStream:
        """See `Engine.train`."""
        task = moved(task, self.device)
        runs = {index: start(task, lane.schedule, lane.lr, training, lane.seed) for index, lane in enumerate(lanes)}
        kept = yield _records(0, {index: _before_training(run) for index, run in runs.items()}, 0.0)
        epochs = {index: train(run) for index, run in runs.items()}
        for epoch in range(1, training.epochs + 1):
            going = [i for i, run in runs.items() if not run.diverged and not run.stopping.has_stopped]
            live = [i for i in going if kept is None or i in kept]
            if not live:
                return
            began = time.perf_counter()
            runs = {index: runs[index] for index in live}
            records = {index: next(epochs[index]) for index in live}
            stopped = frozenset(index for index in live if runs[index].stopping.has_stopped)
            kept = yield _records(epoch, records, time.perf_counter() - began, stopped)


def devices() -> list[str]:
    """The graphics processors that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    if not torch.cuda.is_available():
        return []
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return named.split(",") if named else [str(index) for index in range(torch.cuda.device_count())]


def set_threads(threads: int) -> None:
    """Fix torch's thread count for this process. Small networks train fastest with one.

    Args:
        threads: CPU threads of each operation.

    Raises:
        InputError: They are none, or more than any machine has; torch would end the process.
    """
    if not 1 <= threads <= MOST_THREADS:
        raise input_error("threads", f"must be from 1 to {MOST_THREADS}", received=str(threads))
    torch.set_num_threads(threads)


@contextmanager
def threads_of(threads: int) -> Iterator[None]:
    """Within the block torch has this thread count; a library gives back what belongs to the caller's process.

    Args:
        threads: CPU threads of each operation.
    """
    before = torch.get_num_threads()
    set_threads(threads)
    try:
        yield
    finally:
        set_threads(before)


def _before_training(run: Run) -> EpochRecord:
    before = run.before
    return EpochRecord(
        0, run.rate(0), before.train_metric, before.test_metric, before.extra, False, 0.0, before.details
    )


def _records(
    epoch: int, records: Mapping[int, EpochRecord], seconds: float, stopped: frozenset[int] = frozenset()
) -> LaneRecords:
    parts = list(records.values())
    return LaneRecords(
        epoch=epoch,
        lanes=tuple(records),
        lr=np.array([part.lr for part in parts]),
        train_metric=np.array([part.train_metric for part in parts]),
        test_metric=np.array([part.test_metric for part in parts]),
        diverged=np.array([part.diverged for part in parts]),
        extra={name: np.array([part.extra[name] for part in parts]) for name in parts[0].extra},
        seconds=seconds,
        details=stacked_details([part.details for part in parts]),
        stopped=stopped,
    )


def stacked_details(lanes: Sequence[Mapping[str, Numbers]]) -> dict[str, Numbers]:
    """The details of some lanes as one, of those that none lacks.

    Args:
        lanes: Name -> [parts] of each.

    Returns:
        Name -> [lanes, parts].
    """
    return {name: np.stack([own[name] for own in lanes]) for name in lanes[0] if all(name in own for own in lanes)}
