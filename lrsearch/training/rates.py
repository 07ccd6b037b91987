"""The learning rates of a lane, evaluation by evaluation, in the arithmetic of the sequential loop."""

from __future__ import annotations

from lrsearch.study_file.model import TrainingSection
from lrsearch.training.lane import Lane
from lrsearch.training.when_evaluated import Evaluations


class LaneRates:
    """One row of the table of rates [lanes, updates]: plain float64 numbers that torch never touches.

    The row is made up to the next evaluation at a time: a lane that leaves early does not pay for the rest, and a
    family with memory (plateau) cannot know its later rates before it has seen the metrics of the evaluations before.

    Args:
        lane: Whose rates.
        training: Epochs; they decide the schedule's horizon. And how often is evaluated.
        batches_per_epoch: Updates in each of them.
    """

    def __init__(self, lane: Lane, training: TrainingSection, batches_per_epoch: int) -> None:
        self.lane = lane
        self.batches_per_epoch = batches_per_epoch
        self.evaluations = Evaluations.of(training, batches_per_epoch)
        self.horizon = lane.schedule.steps(training.epochs, batches_per_epoch, training.evaluate_every)
        self.updates_per_step = lane.schedule.updates_per_step(batches_per_epoch, training.evaluate_every)
        self.state = lane.schedule.initial_state(self.horizon, self.updates_per_step)

    def of_epoch(self, epoch: int) -> list[float]:
        """The rate of every update of an epoch, or of those before the next evaluation.

        Args:
            epoch: Evaluations finished before them.
        """
        first, end = (self.evaluations.updates_until(number) for number in (epoch, epoch + 1))
        if self.updates_per_step != self.evaluations.every or self.lane.schedule.warmup_fraction:
            return [self._rate(update) for update in range(first, end)]
        return [self._rate(first)] * (end - first)

    def evaluated(self, test_metric: float) -> None:
        """Take the test metric of an evaluation; only a family with memory cares.

        Args:
            test_metric: Of this lane.
        """
        self.state = self.lane.schedule.update(self.state, test_metric)

    def _rate(self, done: int) -> float:
        step, update = divmod(done, self.updates_per_step)
        return self.lane.schedule.rate(
            self.lane.lr, step, self.horizon, self.state, update=update, updates=self.updates_per_step
        )
