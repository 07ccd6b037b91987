"""The parallel engine: lanes side by side, each trained by the sequential loop in whichever process is free.

A lane is trained from pause to pause. At a pause all that its loop has advanced is put into bytes, and any process goes
on from there. So the numbers are those of the sequential loop to the last bit, however many processes there are, and
all lanes are at the same rung when they are compared.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import count

import numpy as np
import torch

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.crew import Crew, Here
from lrsearch.training.early_stopping import LaneStops
from lrsearch.training.engine import Lane, LaneRecords, LaneStream, joined
from lrsearch.training.lane_checkpoints import LaneCheckpoints
from lrsearch.training.memory import parking_bytes
from lrsearch.training.parking import Parking
from lrsearch.training.segment import Broken, Left, Lost, Message, Segment, Told
from lrsearch.training.when_evaluated import evaluations_of

WORKS = count()
"""Numbers of segments. Processes outlive engines, and must not take a segment for one that was dropped before."""
DEATHS = 3
"""So often the process of a lane may die until the lane is given up."""


class ParallelEngine:
    """Trains lanes on the processes of a crew.

    Args:
        device: Where each of them trains.
        crew: Who trains the task; None for this process alone.
        task: What the crew trains; another task is trained in this process.
        checkpoints: Where lanes that take long are saved.
        say: Where a person is told of a process that died.
    """

    name = "parallel"
    together = True
    one_pass = False
    may_differ: Collection[str] = ()
    in_memory = False

    def __init__(
        self,
        device: str = "cpu",
        crew: Crew | None = None,
        task: Task | None = None,
        checkpoints: LaneCheckpoints | None = None,
        say: Callable[[str], None] = lambda text: None,  # noqa: ARG005
    ) -> None:
        self.device = torch.device(device)
        self.checkpoints = checkpoints or LaneCheckpoints(None)
        self._here = Here(self.device, self.checkpoints)
        self._crew, self._task, self._say = crew, task, say

    def train(
        self, task: Task, lanes: Sequence[Lane], training: TrainingSection, pauses: Collection[int] = ()
    ) -> LaneStream:
        """See `Engine.train`. A record has one lane."""
        crew = self._crew if self._crew is not None and task is self._task else self._here
        shift = _Shift(self, crew, task, lanes, training)
        try:
            for pause in sorted({*(number for number in pauses if number < shift.last), shift.last}):
                for records in shift.until(pause):
                    kept = yield records
                    if kept is not None:
                        shift.keep(kept)
        finally:
            crew.abandon()
            shift.parking.close()
        shift.keep(())

    def died(self, how: str) -> None:
        """Tell that a process died."""
        self._say(f"A training process died ({how}); what it trained is run again.")


class _Shift:
    """Some lanes on their way through their pauses."""

    def __init__(
        self, engine: ParallelEngine, crew: Crew, task: Task, lanes: Sequence[Lane], training: TrainingSection
    ) -> None:
        self._engine, self._crew, self._task = engine, crew, task
        self._lanes, self._training = lanes, training
        self.parking = Parking(parking_bytes())
        self.last = evaluations_of(task, training)
        self._kept = set(range(len(lanes)))
        self._live = set(self._kept)
        self._told = [-1] * len(lanes)
        self._stops = LaneStops(training, maximise=task.maximises)
        self._paused_at = 0
        self._deaths: Counter[int] = Counter()
        self._waiting: deque[int] = deque()
        self._under_way: dict[int, int] = {}

    def until(self, pause: int) -> Iterator[LaneRecords]:
        """Train every lane to a pause."""
        self._waiting.extend(sorted(self._live))
        while True:
            while self._waiting and self._crew.is_free:
                self._begin(self._waiting.popleft(), pause)
            if not self._under_way and not self._waiting:
                break
            yield from self._taken(self._crew.next())
        self._paused_at = pause

    def keep(self, kept: Collection[int]) -> None:
        """Let go of all lanes but these.

        Args:
            kept: Lanes; those that have ended may be among them.
        """
        for lane in [lane for lane in self._kept if lane not in kept]:
            self._kept.discard(lane)
            self._end(lane)
            # Only now: as long as the lane's trial goes on, a crash must not cost what the lane has come to.
            self._engine.checkpoints.forget(self._lanes[lane], self._training, self._engine.device.type)

    def _begin(self, lane: int, pause: int) -> None:
        if lane not in self._live:
            return
        state = self.parking.get(lane)
        work = next(WORKS)
        self._under_way[work] = lane
        told = self._paused_at if state is not None else 0
        self._crew.begin(self._task, Segment(work, self._lanes[lane], self._training, state, told, pause))

    def _taken(self, message: Message) -> Iterator[LaneRecords]:
        """Take what became of a segment; of one that nobody wants any more, nothing."""
        lane = self._under_way.get(message.work)
        if not isinstance(message, Told):
            self._under_way.pop(message.work, None)
        if lane is None or lane not in self._live:
            return
        match message:
            case Told(record=record):
                # A lane that is run again tells what it has told before.
                if record.epoch > self._told[lane]:
                    self._told[lane] = record.epoch
                    stopped = self._stops.take([lane], [record.test_metric]) if record.epoch else frozenset()
                    if record.diverged or stopped or record.epoch == self.last:
                        self._live.discard(lane)
                        self.parking.drop(lane)
                    yield joined(record.epoch, {lane: record}, record.seconds, stopped)
            case Left(state=state):
                if state is not None:
                    self.parking.put(lane, state)
            case Broken(reason=reason):
                yield self._failed(lane, reason)
            case Lost(how=how):
                self._deaths[lane] += 1
                if self._deaths[lane] == DEATHS:
                    yield self._failed(lane, f"the process that trained it died {DEATHS} times; the last time: {how}")
                else:
                    self._engine.died(how)
                    self._waiting.appendleft(lane)

    def _end(self, lane: int) -> None:
        """A lane is not trained any further."""
        self._live.discard(lane)
        self.parking.drop(lane)
        for work in [work for work, other in self._under_way.items() if other == lane]:
            del self._under_way[work]
            self._crew.drop(work)

    def _failed(self, lane: int, reason: str) -> LaneRecords:
        self._end(lane)
        none, nobody = np.empty(0), np.empty(0, dtype=np.bool_)
        return LaneRecords(max(self._told[lane], 0), (), none, none, none, nobody, {}, 0.0, failures={lane: reason})
