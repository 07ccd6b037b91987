"""A stretch of one lane's training, from where it was left to the next pause, and what is told on the way.

It can be trained in any process: a lane goes on from bytes that hold all that the loop had advanced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lrsearch import registry
from lrsearch.errors import LrsearchError
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.lane import Lane
from lrsearch.training.lane_checkpoints import LaneCheckpoints
from lrsearch.training.lane_run import LaneRun
from lrsearch.training.run import EpochRecord


@dataclass(frozen=True)
class Segment:
    """What is to be trained.

    Attributes:
        work: A number that no other segment of the same crew has.
        lane: Settings and seed.
        training: Epochs, batch size, optimizer.
        state: Where the lane was left; None for one that begins.
        told: Epochs that were told when it was left.
        until: Last epoch of the segment.
    """

    work: int
    lane: Lane
    training: TrainingSection
    state: bytes | None
    told: int
    until: int

    def __reduce__(self) -> tuple[Callable[..., Segment], tuple[Any, ...]]:
        """A schedule travels by its name: a family of somebody's own file is no module that can be imported."""
        lane, schedule = self.lane, self.lane.schedule
        travels = (lane.lr, schedule.name, schedule.values(), lane.seed, lane.place, dict(lane.options))
        return _arrived, (self.work, travels, lane.section(self.training), self.state, self.told, self.until)


@dataclass(frozen=True)
class Told:
    """An epoch of a segment is over."""

    work: int
    record: EpochRecord


@dataclass(frozen=True)
class Left:
    """A segment is over; None where the lane does not go on."""

    work: int
    state: bytes | None


@dataclass(frozen=True)
class Broken:
    """The person's model, loss or metric failed."""

    work: int
    reason: str


@dataclass(frozen=True)
class Lost:
    """The process that trained a segment died."""

    work: int
    how: str


Message = Told | Left | Broken | Lost


def train_segment(
    task: Task, segment: Segment, checkpoints: LaneCheckpoints, is_wanted: Callable[[], bool] = lambda: True
) -> Iterator[Message]:
    """Train a segment.

    Args:
        task: What is trained, on its device.
        segment: Which lane, from where, and how far.
        checkpoints: Where it is saved if it takes long.
        is_wanted: Asked before every epoch; where not, the segment ends.

    Yields:
        The records of its epochs, and how it ended.

    Raises:
        LrsearchError: No lane of the task can be trained so.
    """
    try:
        way = LaneRun(task, segment.lane, segment.training, checkpoints, segment.state, segment.told)
        if segment.state is None:
            yield Told(segment.work, way.before())
        for _ in range(segment.told, segment.until):
            if way.has_ended or not is_wanted():
                break
            yield Told(segment.work, way.next_epoch())
        yield Left(segment.work, None if way.has_ended else way.state())
    except LrsearchError:
        raise
    except Exception as error:
        yield Broken(segment.work, f"{type(error).__name__}: {error}")


def _arrived(
    work: int,
    travelled: tuple[float, str, dict[str, float], int, int | None, dict[str, Any]],
    training: TrainingSection,
    state: bytes | None,
    told: int,
    until: int,
) -> Segment:
    lr, family, values, seed, place, options = travelled
    lane = Lane(lr, registry.schedules.get(family).of(values), seed, place, options=options)
    return Segment(work, lane, training, state, told, until)
