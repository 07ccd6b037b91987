"""What a run trains on, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import Rows, Stream
from lrsearch.training.batches import DataOrder
from lrsearch.training.reading import Batch, read, read_stream


class TrainingBatches:
    """The batches of a run.

    Args:
        rows: Those that it trains on.
        training: Batch size, and processes that read a Dataset.
        seed: Of the run.
        device: Where inputs and targets are wanted.
    """

    def __init__(self, rows: Rows, training: TrainingSection, seed: int, device: torch.device) -> None:
        self._rows = rows
        self._training = training
        self._seed = seed
        self._device = device
        self._stream: Iterator[Batch] = iter(())
        self._at = -1

    def epoch(self, number: int, order: DataOrder) -> Iterator[Batch]:
        """The batches of one epoch, in the run's order; those of a stream go on where the epoch before ended.

        Args:
            number: Epochs finished.
            order: Of rows that have numbers; it moves on by one epoch.
        """
        if isinstance(self._rows, Stream):
            return self._of_stream(self._rows, number)
        workers = self._training.loader_workers
        return read(self._rows, order.epoch(), self._device, workers, self._seed, number)

    def _of_stream(self, rows: Stream, number: int) -> Iterator[Batch]:
        first = number * rows.steps
        if self._at != first:  # at the start, and after a checkpoint
            training = self._training
            self._stream = read_stream(
                rows, training.batch_size, self._device, training.loader_workers, self._seed,
                first=first, drop_last=training.drop_last,
            )  # fmt: skip
            self._at = first
        for batch in islice(self._stream, rows.steps):
            self._at += 1
            yield batch
