"""Who trains the segments of lanes: this process, or several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch

from lrsearch.tasks.task import Task
from lrsearch.training.devices import moved
from lrsearch.training.lane_checkpoints import LaneCheckpoints
from lrsearch.training.segment import Message, Segment, Told, train_segment


class Crew(Protocol):
    """Takes segments as long as somebody is free, and says what becomes of them."""

    @property
    def is_free(self) -> bool:
        """Whether another segment can be begun."""

    def begin(self, task: Task, segment: Segment) -> None:
        """Let somebody who is free train a segment.

        Args:
            task: What is trained.
            segment: Which lane, from where, and how far.
        """

    def next(self) -> Message:
        """Wait for what happens next to a segment that is under way.

        Raises:
            LrsearchError: Nobody can train.
        """

    def drop(self, work: int) -> None:
        """Nobody wants a segment any more; whoever trains it ends as soon as that is cheap.

        Args:
            work: Which.
        """

    def abandon(self) -> None:
        """Nobody wants any segment that is under way."""


class Here:
    """This process, one segment after the other.

    Args:
        device: Where.
        checkpoints: Where lanes that take long are saved.
    """

    def __init__(self, device: torch.device, checkpoints: LaneCheckpoints) -> None:
        self._device, self._checkpoints = device, checkpoints
        self._task: Task | None = None
        self._moved: Task | None = None
        self._messages: Iterator[Message] | None = None
        self._dropped: set[int] = set()

    @property
    def is_free(self) -> bool:
        """See `Crew.is_free`."""
        return self._messages is None

    def begin(self, task: Task, segment: Segment) -> None:
        """See `Crew.begin`."""
        if self._moved is None or task is not self._task:
            self._task, self._moved = task, moved(task, self._device)
        self._messages = train_segment(
            self._moved, segment, self._checkpoints, lambda: segment.work not in self._dropped
        )

    def next(self) -> Message:
        """See `Crew.next`."""
        assert self._messages is not None
        message = next(self._messages)
        if not isinstance(message, Told):
            self._messages = None
        return message

    def drop(self, work: int) -> None:
        """See `Crew.drop`."""
        self._dropped.add(work)

    def abandon(self) -> None:
        """See `Crew.abandon`."""
        self._messages = None
        self._dropped.clear()
