"""Batches of a task's rows: taken from tensors, or read from a Dataset by a DataLoader, with worker processes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import count as numbers_from
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from lrsearch.errors import input_error
from lrsearch.tasks import nest
from lrsearch.tasks.data import Data, Rows, Stream, Streamed
from lrsearch.training.random_streams import batch_seed, seeded

Batch = tuple[Any, Any]
"""Inputs and targets: tensors or nests of them, or whatever a collate made of the rows."""


def read(
    rows: Rows, batches: Iterable[Tensor], device: torch.device, workers: int, seed: int, epoch: int, *, first: int = 0
) -> Iterator[Batch]:
    """Some batches, in the order given.

    Args:
        rows: Where from; no stream.
        batches: Row numbers [rows of the batch] of each batch.
        device: Where inputs and targets are wanted.
        workers: Processes that read a Dataset's rows; 0 reads them in this one.
        seed: Of the run; with the epoch it decides what reading draws.
        epoch: Epochs finished, or `random_streams.LOOK`.
        first: The first batch's number in the epoch.
    """
    if isinstance(rows, Streamed):
        jobs = [(batch_seed(seed, epoch, number), batch.tolist()) for number, batch in enumerate(batches, first)]
        for inputs, targets in _loader(_Batches(rows), jobs, device, workers):
            yield moved(inputs, device), moved(targets, device)
    elif all(isinstance(part, Tensor) and part.layout == torch.strided for part in rows):
        for batch in batches:
            yield rows[0][batch], rows[1][batch]
    else:
        for batch in batches:
            yield nest.taken(rows[0], batch), nest.taken(rows[1], batch)


def read_stream(
    rows: Stream, size: int, device: torch.device, workers: int, seed: int, *, first: int = 0, drop_last: bool = False
) -> Iterator[Batch]:
    """The batches of a stream, without end: when it ends, it begins anew.

    Args:
        rows: The stream.
        size: Rows in a batch; the last one before it begins anew may have fewer.
        device: Where inputs and targets are wanted.
        workers: One process reads the stream if there are any, for several would give its rows several times.
        seed: Of the run; it decides what reading draws, with epoch and batch.
        first: So many batches are read and left out: those that were trained on before.
        drop_last: Leave out a batch that has fewer rows.
    """
    batches = _BatchesOfStream(rows, size, seed, first, drop_last)
    for inputs, targets in _loader(batches, None, device, min(workers, 1)):
        yield moved(inputs, device), moved(targets, device)


def in_order(number: int, size: int) -> Sequence[Tensor]:
    """Row numbers of the first so many rows, batch by batch."""
    return torch.split(torch.arange(number), size)


def moved(value: Any, device: torch.device) -> Any:
    """A batch on a device, whatever its tensors are wrapped in."""
    if hasattr(value, "to"):  # a tensor, a packed sequence, a batch of some library
        return value.to(device, non_blocking=True)
    return nest.mapped(lambda tensor: tensor.to(device, non_blocking=True), value)


class _Batches(Dataset[Batch]):
    """A Dataset by batches: each is read with random numbers of its own."""

    def __init__(self, rows: Streamed) -> None:
        self.rows = rows

    def __getitem__(self, job: tuple[int, list[int]]) -> Data:
        number, rows = job
        with seeded(number):
            return self.rows.batch(rows)


class _BatchesOfStream(IterableDataset[Batch]):
    """A stream by batches; see `read_stream`."""

    def __init__(self, rows: Stream, size: int, seed: int, first: int, drop_last: bool) -> None:
        self.rows = rows
        self.size = size
        self.seed = seed
        self.first = first
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[Batch]:
        fewest = self.size if self.drop_last else 1
        source: Iterator[Any] = iter(())
        for number in numbers_from():
            epoch, batch = divmod(number, self.rows.steps)
            with seeded(batch_seed(self.seed, epoch, batch)):
                items = list(islice(source, self.size))
                if len(items) < fewest:
                    source = iter(self.rows.dataset)
                    items = list(islice(source, self.size))
                if len(items) < fewest:
                    rule = "ends before it has given the rows of one batch"
                    raise input_error("task", rule, key="train", received=type(self.rows.dataset).__name__)
                made = self.rows.make_batch(items) if number >= self.first else None
            if made is not None:
                yield made


def _loader(
    batches: Dataset[Batch], jobs: list[tuple[int, list[int]]] | None, device: torch.device, workers: int
) -> Iterable[Batch]:
    # A person's file is no module that a fresh process could import: where torch allows it, workers are forked.
    forked = "fork" if workers and sys.platform == "linux" else None
    return DataLoader(
        batches,
        batch_size=None,
        sampler=jobs,
        collate_fn=_as_it_is,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        multiprocessing_context=forked,
        worker_init_fn=_leave_signals_to_the_parent,
        generator=torch.Generator(),  # its number for workers, which nothing uses, is none of the run's stream
    )


def _as_it_is(batch: Any) -> Any:
    return batch


def _leave_signals_to_the_parent(_: int) -> None:
    """A forked process has the parent's handlers; ctrl-C reaches it, too, and is none of its business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
