"""Batches of a task's rows: taken from tensors, or read from a Dataset by a DataLoader, with worker processes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lrsearch.tasks.data import Rows, Streamed

Batch = tuple[Any, Tensor]
"""Inputs and targets; inputs are a tensor, or whatever a collate made of the rows."""


def read(rows: Rows, batches: Iterable[Tensor], device: torch.device, workers: int) -> Iterator[Batch]:
    """Some batches, in the order given. A Dataset draws what it draws from the current random stream.

    Args:
        rows: Where from.
        batches: Row numbers [rows of the batch] of each batch.
        device: Where inputs and targets are wanted.
        workers: Processes that read a Dataset's rows; 0 reads them in this one.
    """
    if isinstance(rows, Streamed):
        for inputs, targets in _loader(rows, [batch.tolist() for batch in batches], device, workers):
            yield moved(inputs, device), moved(targets, device)
    else:
        for batch in batches:
            yield rows[0][batch], rows[1][batch]


def in_order(number: int, size: int) -> Sequence[Tensor]:
    """Row numbers of the first so many rows, batch by batch."""
    return torch.split(torch.arange(number), size)


def moved(value: Any, device: torch.device) -> Any:
    """A batch on a device, whatever its tensors are wrapped in."""
    if hasattr(value, "to"):  # a tensor, a packed sequence
        return value.to(device, non_blocking=True)
    if isinstance(value, (tuple, list)):
        parts = [moved(part, device) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {name: moved(part, device) for name, part in value.items()}
    return value


def _loader(rows: Streamed, batches: list[list[int]], device: torch.device, workers: int) -> Iterable[Batch]:
    # A person's file is no module that a fresh process could import: where torch allows it, workers are forked.
    forked = "fork" if workers and sys.platform == "linux" else None
    return DataLoader(
        rows.dataset,
        batch_sampler=batches,
        collate_fn=rows.make_batch,
        num_workers=workers,
        pin_memory=device.type == "cuda",
        multiprocessing_context=forked,
        worker_init_fn=_leave_signals_to_the_parent,
    )


def _leave_signals_to_the_parent(_: int) -> None:
    """A forked process has the parent's handlers; ctrl-C reaches it, too, and is none of its business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
