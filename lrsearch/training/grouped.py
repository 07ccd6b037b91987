"""Lanes that cannot be one batch, since batch sizes or models differ: group after group, rung by rung.

Each group is trained to the next pause before the next one is, and none goes beyond it before all are there. So trials
of different groups are compared at a rung as those of one batch are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.engine import Engine, Lane, LaneRecords, LaneStream


@dataclass(frozen=True)
class Group:
    """Lanes that an engine can train together.

    Attributes:
        task: What they train.
        training: Their section; where lanes may differ in theirs, that of the first.
        lanes: Which they are, as positions among all lanes.
    """

    task: Task
    training: TrainingSection
    lanes: tuple[int, ...]


def together(section: TrainingSection, engine: Engine) -> str:
    """Equal for lanes of one task that an engine can train together.

    Args:
        section: What a lane is trained with.
        engine: What trains it: any sections, if lanes do not take their steps in one pass.
    """
    return repr(section.model_dump(exclude=set(engine.may_differ))) if engine.one_pass else ""


def train(engine: Engine, groups: Sequence[Group], lanes: Sequence[Lane], pauses: Collection[int]) -> LaneStream:
    """Train all lanes; see `Engine.train`.

    Args:
        engine: What trains each group.
        groups: Every lane is in one of them.
        lanes: All lanes.
        pauses: See `Engine.train`.
    """
    if len(groups) == 1:
        yield from engine.train(groups[0].task, lanes, groups[0].training, pauses)
        return
    epochs = groups[0].training.epochs
    kept: set[int] = set(range(len(lanes)))
    with ExitStack() as stack:
        streams = [_GroupStream(engine, group, lanes, pauses) for group in groups]
        for stream in streams:
            stack.enter_context(closing(stream.records))
        for pause in sorted({*(epoch for epoch in pauses if epoch < epochs), epochs}):
            for stream in streams:
                for records in stream.until(pause, kept):
                    wanted = yield records
                    if wanted is not None:
                        kept.intersection_update(wanted)
        for stream in streams:
            stream.end(kept)


class _GroupStream:
    """The records of one group, with its lanes' positions among all lanes."""

    def __init__(self, engine: Engine, group: Group, lanes: Sequence[Lane], pauses: Collection[int]) -> None:
        own = [lanes[lane] for lane in group.lanes]
        places = [replace(lane, place=place if lane.place is None else lane.place)
                  for place, lane in zip(group.lanes, own, strict=True)]  # fmt: skip
        self.records = engine.train(group.task, places, group.training, pauses)
        self._lanes = group.lanes
        self._at = dict.fromkeys(group.lanes, -1)
        self._has_begun = self._is_over = False

    def until(self, pause: int, kept: set[int]) -> Iterator[LaneRecords]:
        """Train on until every lane that is kept has come to a pause.

        Args:
            pause: The epoch.
            kept: The lanes of all groups that are kept; it may lose some meanwhile.
        """
        while not self._is_over and any(epoch < pause for lane, epoch in self._at.items() if lane in kept):
            found = self._next(kept)
            if found is None:
                return
            ended = {lane for lane, is_gone in zip(found.lanes, found.diverged, strict=True) if is_gone}
            for lane in found.lanes:
                self._at[self._lanes[lane]] = found.epoch
            for lane in {*ended, *found.stopped, *found.failures}:
                self._at.pop(self._lanes[lane], None)
            yield self._named(found)

    def end(self, kept: set[int]) -> None:
        """Let the engine come to its own end, which takes what it has kept of the lanes with it."""
        while not self._is_over and self._next(kept) is not None:
            pass

    def _next(self, kept: set[int]) -> LaneRecords | None:
        own = {place for place, lane in enumerate(self._lanes) if lane in kept}
        try:
            found = self.records.send(own) if self._has_begun else next(self.records)
        except StopIteration:
            self._is_over = True
            return None
        self._has_begun = True
        return found

    def _named(self, found: LaneRecords) -> LaneRecords:
        return replace(
            found,
            lanes=tuple(self._lanes[lane] for lane in found.lanes),
            failures={self._lanes[lane]: reason for lane, reason in found.failures.items()},
            stopped=frozenset(self._lanes[lane] for lane in found.stopped),
        )
