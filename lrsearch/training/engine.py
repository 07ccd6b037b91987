"""What trains trials: lanes in, one record per epoch out, whichever engine it is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lrsearch.errors import LrsearchError, input_error
from lrsearch.study_file.model import MOST_THREADS, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.devices import moved
from lrsearch.training.lane import Lane as Lane
from lrsearch.training.lane_checkpoints import LaneCheckpoints
from lrsearch.training.lane_run import LaneRun
from lrsearch.training.run import EpochRecord
from lrsearch.training.when_evaluated import evaluations_of

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class LaneRecords:
    """`EpochRecord` with a lane axis. The record of epoch 0 is the state before training.

    Attributes:
        epoch: Evaluations finished: epochs, unless `evaluate_every` says otherwise.
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
        failures: Lanes that could not be trained on, and why; only of an engine whose other lanes go on then.
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
    failures: Mapping[int, str] = field(default_factory=dict)
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
    """Whether trials come by the generation, and are compared with each other at a rung."""
    one_pass: bool
    """Whether lanes take their steps in one pass, where few cost nearly as much as many."""
    may_differ: Collection[str]
    """Keys of the training section in which lanes may differ that take their steps in one pass."""
    in_memory: bool
    """Whether all lanes that it is given must find room in memory."""

    def train(
        self, task: Task, lanes: Sequence[Lane], training: TrainingSection, pauses: Collection[int] = ()
    ) -> LaneStream:
        """Train all lanes until the last epoch or until none is left.

        A lane's epochs come in their order, and all of an epoch at once or some lanes earlier than others.

        Args:
            task: What is trained.
            lanes: The networks.
            training: Epochs, batch size, optimizer; a lane may have a section of its own (`Lane.training`).
            pauses: No lane goes beyond one of these evaluations before every lane that is kept has got there.
        """


class SequentialEngine:
    """Trains lanes one after the other within each epoch, with ordinary torch modules and optimizers.

    Args:
        device: Where, such as ``cpu`` or ``cuda``.
        checkpoints: Where lanes that take long are kept beside; None for nowhere.
    """

    name = "sequential"
    together = False
    one_pass = False
    may_differ: Collection[str] = ()
    in_memory = True

    def __init__(self, device: str = "cpu", checkpoints: LaneCheckpoints | None = None) -> None:
        self.device = torch.device(device)
        self.checkpoints = checkpoints or LaneCheckpoints(None)

    def train(
        self,
        task: Task,
        lanes: Sequence[Lane],
        training: TrainingSection,
        pauses: Collection[int] = (),
    ) -> LaneStream:
        """See `Engine.train`."""
        task = moved(task, self.device)
        ways = {index: LaneRun(task, lane, training, self.checkpoints) for index, lane in enumerate(lanes)}
        try:
            kept = yield joined(0, {index: way.before() for index, way in ways.items()}, 0.0)
            live = dict(ways)
            for epoch in range(1, evaluations_of(task, training) + 1):
                ended = [] if kept is None else [index for index in ways if index not in kept]
                for index in ended:
                    ways.pop(index).forget()
                live = {index: way for index, way in live.items() if index in ways and not way.has_ended}
                if not live:
                    break
                began = time.perf_counter()
                records = {index: way.next_epoch() for index, way in live.items()}
                stopped = frozenset(index for index, way in live.items() if way.has_stopped)
                kept = yield joined(epoch, records, time.perf_counter() - began, stopped)
        except LrsearchError:
            raise
        except Exception:
            # The person's code failed, whatever it raised, and would fail again from a checkpoint. A signal or a closed
            # stream is no Exception: then the checkpoints stay, and the trial goes on from them.
            for way in ways.values():
                way.forget()
            raise
        for way in ways.values():
            way.forget()


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


def joined(
    epoch: int, records: Mapping[int, EpochRecord], seconds: float, stopped: frozenset[int] = frozenset()
) -> LaneRecords:
    """The records of some lanes as one.

    Args:
        epoch: Epochs finished.
        records: Lane -> what it came to in that epoch.
        seconds: Of all of them.
        stopped: Those whose patience has ended.
    """
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


def side_by_side(records: Sequence[LaneRecords], lanes: Sequence[int]) -> LaneRecords:
    """The same epoch of several lanes, which was told lane by lane.

    Args:
        records: One for each lane.
        lanes: Which.
    """

    def of_all(values: Callable[[LaneRecords], NDArray[Any]]) -> NDArray[Any]:
        return np.stack([values(own)[own.row_of[lane]] for own, lane in zip(records, lanes, strict=True)])

    return LaneRecords(
        epoch=records[0].epoch,
        lanes=tuple(lanes),
        lr=of_all(lambda own: own.lr),
        train_metric=of_all(lambda own: own.train_metric),
        test_metric=of_all(lambda own: own.test_metric),
        diverged=of_all(lambda own: own.diverged),
        extra={name: of_all(lambda own, name=name: own.extra[name]) for name in records[0].extra},  # type: ignore[misc]
        seconds=sum(own.seconds / len(own.lanes) for own in records),
        evaluated=all(own.evaluated for own in records),
        details={
            name: of_all(lambda own, name=name: own.details[name])  # type: ignore[misc]
            for name in records[0].details
            if all(name in own.details for own in records)
        },
        stopped=frozenset(lane for own in records for lane in own.stopped),
    )


def stacked_details(lanes: Sequence[Mapping[str, Numbers]]) -> dict[str, Numbers]:
    """The details of some lanes as one, of those that none lacks.

    Args:
        lanes: Name -> [parts] of each.

    Returns:
        Name -> [lanes, parts].
    """
    return {name: np.stack([own[name] for own in lanes]) for name in lanes[0] if all(name in own for own in lanes)}
