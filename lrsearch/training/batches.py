"""The order in which a seed sees the rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import Stream
from lrsearch.tasks.task import Task


class DataOrder:
    """A new permutation of the rows for every epoch, as ``DataLoader(shuffle=True)`` draws them.

    A loader takes two numbers from the random stream per epoch, one for its workers and one that seeds the
    permutation. Taking the same two makes a run repeat a plain PyTorch script with the same seed, and it makes the
    order a matter of the seed alone, so that every schedule is compared on the same batches.

    Args:
        generator: The seed's random stream, as it stands after the model was made.
        rows: Number of training rows.
        batch_size: Rows in one batch; the last batch of an epoch may have fewer.
        drop_last: Leave that one out, if there is another.
    """

    def __init__(self, generator: torch.Generator, rows: int, batch_size: int, *, drop_last: bool = False) -> None:
        self.generator = generator
        self.rows = rows
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.before = generator.get_state()
        """Where the stream stood when the last epoch's order was drawn."""

    @property
    def batches_per_epoch(self) -> int:
        return batches_per_epoch(self.rows, self.batch_size, drop_last=self.drop_last)

    def go_on_from(self, before: Tensor) -> None:
        """Draw the next order from where the stream stood before it was drawn in another run.

        Args:
            before: The stream's state, as `before` was there.
        """
        self.generator.set_state(before)
        self.before = before

    def epoch(self) -> tuple[Tensor, ...]:
        """Row numbers [batch] of each batch of the next epoch; advances the stream by one epoch."""
        return torch.split(self.permutation(), self.batch_size)

    def permutation(self) -> Tensor:
        """Row numbers [rows] of the next epoch, batch after batch; advances the stream by one epoch."""
        self.before = self.generator.get_state()
        self._draw()  # the loader's number for its workers
        drawn = torch.randperm(self.rows, generator=torch.Generator().manual_seed(self._draw()))
        return drawn[: self.batches_per_epoch * self.batch_size]

    def _draw(self) -> int:
        return int(torch.empty((), dtype=torch.int64).random_(generator=self.generator).item())


class SeedOrders:
    """The orders of several seeds, which begin their epochs together.

    Args:
        orders: One for each seed.
        device: Where row numbers are wanted.
    """

    def __init__(self, orders: Sequence[DataOrder], device: torch.device) -> None:
        self._orders, self._device = list(orders), device
        self._epoch = torch.empty((len(orders), 0), dtype=torch.int64, device=device)

    def batch(self, number: int) -> Tensor:
        """Row numbers of a batch; to be asked for one after the other.

        Args:
            number: The batch, from 0 at the run's start.

        Returns:
            For each seed; [seeds, rows].
        """
        first = self._orders[0]
        place = number % first.batches_per_epoch
        if not place:
            self._epoch = torch.stack([order.permutation() for order in self._orders]).to(self._device)
        return self._epoch[:, place * first.batch_size : (place + 1) * first.batch_size]

    def take(self, seeds: Tensor) -> None:
        """Go on with the orders of some seeds only.

        Args:
            seeds: Which, as places in the list given.
        """
        self._orders = [self._orders[seed] for seed in seeds.tolist()]
        self._epoch = self._epoch[seeds]


def batches_per_epoch(rows: int, batch_size: int, *, drop_last: bool = False) -> int:
    """Batches in one epoch; the last batch may have fewer rows.

    Args:
        rows: Training rows.
        batch_size: Rows in one batch.
        drop_last: Leave a batch with fewer rows out; the only one stays.
    """
    return max(1, rows // batch_size) if drop_last else math.ceil(rows / batch_size)


def epoch_rows(task: Task, training: TrainingSection) -> int:
    """Rows that an epoch trains on: all of them, or of a stream as many as its batches have.

    Args:
        task: What is trained.
        training: Batch size.
    """
    return task.train.steps * training.batch_size if isinstance(task.train, Stream) else task.train_rows


def updates_per_epoch(task: Task, training: TrainingSection) -> int:
    """Updates in one epoch; the last one may be made of fewer batches.

    Args:
        task: What is trained.
        training: Batch size, whether the last batch counts, and how many batches make an update.
    """
    batches = batches_per_epoch(epoch_rows(task, training), training.batch_size, drop_last=training.drop_last)
    return math.ceil(batches / training.accumulate)
