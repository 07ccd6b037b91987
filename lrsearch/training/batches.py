"""The order in which a seed sees the rows."""

from __future__ import annotations

import math

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

    @property
    def batches_per_epoch(self) -> int:
        return batches_per_epoch(self.rows, self.batch_size, drop_last=self.drop_last)

    def epoch(self) -> tuple[Tensor, ...]:
        """Row numbers [batch] of each batch of the next epoch; advances the stream by one epoch."""
        return torch.split(self.permutation(), self.batch_size)

    def permutation(self) -> Tensor:
        """Row numbers [rows] of the next epoch, batch after batch; advances the stream by one epoch."""
        self._draw()  # the loader's number for its workers
        drawn = torch.randperm(self.rows, generator=torch.Generator().manual_seed(self._draw()))
        return drawn[: self.batches_per_epoch * self.batch_size]

    def _draw(self) -> int:
        return int(torch.empty((), dtype=torch.int64).random_(generator=self.generator).item())


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
