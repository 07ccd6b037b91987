"""After which updates a run is evaluated: at the end of every epoch, or of every so many updates."""

from __future__ import annotations

from dataclasses import dataclass

from lrsearch.errors import input_error
from lrsearch.study_file.model import MOST_EPOCHS, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batches import updates_per_epoch


@dataclass(frozen=True)
class Evaluations:
    """The evaluations of a run, counted from 1: number n comes after ``min(n * every, updates)`` updates.

    So the last update is always followed by one.

    Attributes:
        every: Updates from one to the next.
        updates: Of the whole run.
    """

    every: int
    updates: int

    @classmethod
    def of(cls, training: TrainingSection, per_epoch: int) -> Evaluations:
        """Those of a training section.

        Args:
            training: Has `epochs` and `evaluate_every`.
            per_epoch: Updates of an epoch.
        """
        return cls(training.evaluate_every or per_epoch, training.epochs * per_epoch)

    @property
    def count(self) -> int:
        """How many there are: as many as epochs, where each epoch ends with one."""
        return -(-self.updates // self.every)

    def updates_until(self, number: int) -> int:
        """Updates that are done when an evaluation is; none before the first.

        Args:
            number: The evaluation, from 1. A run that is steered by hand may have more of them than it was begun for.
        """
        return min(number * self.every, self.updates) + max(number - self.count, 0) * self.every


def evaluations_of(task: Task, training: TrainingSection) -> int:
    """How many evaluations a run that is trained to its end has.

    Args:
        task: What is trained; its rows decide how many updates an epoch has.
        training: Epochs, batch size, and how often is evaluated.

    Raises:
        InputError: There are more than anything here is made for.
    """
    if training.evaluate_every is None:
        return training.epochs  # a command does not say how many updates an epoch has
    found = Evaluations.of(training, updates_per_epoch(task, training)).count
    if found > MOST_EPOCHS:
        rule = f"leads to {found:,} evaluations of a run; there may be {MOST_EPOCHS:,}"
        raise input_error("[training]", rule, key="evaluate_every", received=str(training.evaluate_every))
    return found
