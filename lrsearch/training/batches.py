"""The order in which a seed sees the rows."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lrsearch.study_file.model import TrainingSection


class DataOrder:
    """A new permutation of the rows for every epoch, as ``DataLoader(shuffle=True)`` draws them.

    A loader takes two numbers from the random stream per epoch, one for its workers and one that seeds the
    permutation. Taking the same two makes a run repeat a plain PyTorch script with the same seed, and it makes the
    order a matter of the seed alone, so that every schedule is compared on the same batches.

    Args:
        generator: The seed's random stream, as it stands after the model was made.
        rows: Number of training rows.
        batch_size: Rows in one batch; the last batch of an epoch may have fewer.
    """

    def __init__(self, generator: torch.Generator, rows: int, batch_size: int) -> None:
        self.generator = generator
        self.rows = rows
        self.batch_size = batch_size

    @property
    def batches_per_epoch(self) -> int:
        return batches_per_epoch(self.rows, self.batch_size)

    def epoch(self) -> tuple[Tensor, ...]:
        """Row numbers [batch] of each batch of the next epoch; advances the stream by one epoch."""
        return torch.split(self.permutation(), self.batch_size)

    def permutation(self) -> Tensor:
        """Row numbers [rows] of the next epoch, batch after batch; advances the stream by one epoch."""
        self._draw()  # the loader's number for its workers
        return torch.randperm(self.rows, generator=torch.Generator().manual_seed(self._draw()))

    def _draw(self) -> int:
        return int(torch.empty((), dtype=torch.int64).random_(generator=self.generator).item())


def batches_per_epoch(rows: int, batch_size: int) -> int:
    """Batches in one epoch; the last batch may have fewer rows.

    Args:
        rows: Training rows.
        batch_size: Rows in one batch.
    """
    return math.ceil(rows / batch_size)


def updates_per_epoch(rows: int, training: TrainingSection) -> int:
    """Updates in one epoch; the last one may be made of fewer batches.

    Args:
        rows: Training rows.
        training: Batch size, and how many batches make an update.
    """
    return math.ceil(batches_per_epoch(rows, training.batch_size) / training.accumulate)
