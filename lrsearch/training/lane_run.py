"""One lane in the training loop, told epoch by epoch, from wherever it was kept."""

from __future__ import annotations

from collections.abc import Iterator

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.checkpoint import resumed, state_of
from lrsearch.training.lane import Lane
from lrsearch.training.lane_checkpoints import LaneCheckpoints
from lrsearch.training.loop import start, train
from lrsearch.training.run import Before, EpochRecord, Run


class LaneRun:
    """A lane on its way. What has been trained before is told again, not trained again.

    Args:
        task: What is trained, on its device.
        lane: Settings and seed.
        training: Epochs, batch size, optimizer, where the lane has no section of its own.
        checkpoints: Where a lane that takes long is kept.
        state: What `state` gave for the same lane; None for one that begins.
        told: Epochs that have been told already.
    """

    def __init__(
        self,
        task: Task,
        lane: Lane,
        training: TrainingSection,
        checkpoints: LaneCheckpoints,
        state: bytes | None = None,
        told: int = 0,
    ) -> None:
        training = lane.section(training)

        def begin(before: Before | None = None) -> Run:
            return start(task, lane.schedule, lane.lr, training, lane.seed, before)

        run = begin() if state is None else resumed(state, begin)
        self._before = _before_training(run)
        self._checkpoint = checkpoints.of(task, lane, training)
        self.run = self._checkpoint.further(run, begin)
        self._told = told
        self._epochs: Iterator[EpochRecord] | None = None

    def before(self) -> EpochRecord:
        """The record of epoch 0, of a lane that begins."""
        return self._before

    def next_epoch(self) -> EpochRecord:
        """The record of the next epoch."""
        if self._told == self.run.epoch:
            self._epochs = self._epochs or train(self.run)
            next(self._epochs)
            self._checkpoint.note(self.run)
        self._told += 1
        return self.run.records[self._told - 1]

    @property
    def has_ended(self) -> bool:
        """Whether the last epoch that was told is the lane's last."""
        run = self.run
        over = run.diverged or run.stopping.has_stopped or run.is_trained
        return over and self._told == self.run.epoch

    @property
    def has_stopped(self) -> bool:
        """Whether that is because its patience has ended."""
        return self.has_ended and self.run.stopping.has_stopped

    def state(self) -> bytes:
        """All that the loop has advanced."""
        return state_of(self.run)

    def forget(self) -> None:
        """Remove the lane's checkpoint: it is not trained any more."""
        self._checkpoint.forget()


def _before_training(run: Run) -> EpochRecord:
    before = run.before
    return EpochRecord(
        0, run.rate(0), before.train_metric, before.test_metric, before.extra, False, 0.0, before.details
    )
