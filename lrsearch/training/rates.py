"""The learning rates of a lane, epoch by epoch, in the arithmetic of the sequential loop."""

from __future__ import annotations

from lrsearch.study_file.model import TrainingSection
from lrsearch.training.engine import Lane


class LaneRates:
    """One row of the table of rates [lanes, updates]: plain float64 numbers that torch never touches.

    The row is made an epoch at a time: a lane that leaves early does not pay for the rest, and a family with memory
    (plateau) cannot know its later rates before it has seen the metrics of the epochs before.

    Args:
        lane: Whose rates.
        training: Epochs; they decide the schedule's horizon.
        batches_per_epoch: Updates in each of them.
    """

    def __init__(self, lane: Lane, training: TrainingSection, batches_per_epoch: int) -> None:
        self.lane = lane
        self.batches_per_epoch = batches_per_epoch
        self.horizon = lane.schedule.steps(training.epochs, batches_per_epoch)
        self.updates_per_step = lane.schedule.updates_per_step(batches_per_epoch)
        self.state = lane.schedule.initial_state(self.horizon, self.updates_per_step)

    def of_epoch(self, epoch: int) -> list[float]:
        """The rate of every update of an epoch.

        Args:
            epoch: Epochs finished before it.
        """
        first = epoch * self.batches_per_epoch
        if self.updates_per_step == 1 or self.lane.schedule.warmup_fraction:
            return [self._rate(first + batch) for batch in range(self.batches_per_epoch)]
        return [self._rate(first)] * self.batches_per_epoch

    def evaluated(self, test_metric: float) -> None:
        """Take the test metric of an epoch; only a family with memory cares.

        Args:
            test_metric: Of this lane, after the epoch.
        """
        self.state = self.lane.schedule.update(self.state, test_metric)

    def _rate(self, done: int) -> float:
        step, update = divmod(done, self.updates_per_step)
        return self.lane.schedule.rate(
            self.lane.lr, step, self.horizon, self.state, update=update, updates=self.updates_per_step
        )
