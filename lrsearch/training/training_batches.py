"""What a run trains on, update by update."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import ceil

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
        self._epoch: Iterator[Batch] = iter(())
        self._next = -1

    def update(self, number: int, order: DataOrder) -> list[Batch]:
        """The batches of one update, in the run's order.

        Args:
            number: The update, from 0 at the run's start.
            order: Of rows that have numbers; it moves on when an epoch begins, or is gone on with after a checkpoint.
        """
        per_update = self._training.accumulate
        per_epoch = ceil(order.batches_per_epoch / per_update)
        epoch, within = divmod(number, per_epoch)
        if not within or number != self._next:
            self._epoch = self._of_epoch(epoch, order, within * per_update)
        found = list(islice(self._epoch, per_update))
        self._next = number + 1
        if within == per_epoch - 1:
            self._epoch = iter(())  # with the processes that read it
        return found

    def _of_epoch(self, number: int, order: DataOrder, skipped: int) -> Iterator[Batch]:
        """The batches of an epoch but for its first ones; those of a stream go on where the epoch before ended."""
        if isinstance(self._rows, Stream):
            return self._of_stream(self._rows, number, skipped)
        workers, batches = self._training.loader_workers, order.epoch()[skipped:]
        return read(self._rows, batches, self._device, workers, self._seed, number, first=skipped)

    def _of_stream(self, rows: Stream, number: int, skipped: int) -> Iterator[Batch]:
        first = number * rows.steps + skipped
        if self._at != first:  # at the start, and after a checkpoint
            training = self._training
            self._stream = read_stream(
                rows, training.batch_size, self._device, training.loader_workers, self._seed,
                first=first, drop_last=training.drop_last,
            )  # fmt: skip
            self._at = first
        for batch in islice(self._stream, rows.steps - skipped):
            self._at += 1
            yield batch
