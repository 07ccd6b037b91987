"""The rows of a task: tensors in memory, a Dataset that is read batch by batch, or a stream."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, Subset

from lrsearch.errors import input_error
from lrsearch.tasks import nest

Data = tuple[Any, Any]
"""Inputs and targets: a tensor [rows, ...] each, or a nest of such tensors."""
Collate = Callable[[list[Any]], tuple[Any, Any]]
"""Rows of a Dataset -> inputs and targets of one batch."""


@dataclass(frozen=True)
class Streamed:
    """Rows that stay in their Dataset and are read batch by batch.

    Attributes:
        dataset: With a length; ``dataset[row]`` gives a row.
        collate: Makes a batch of rows; by default inputs and targets are stacked.
        reason: Why these rows are no tensors, for people.
    """

    dataset: Dataset[Any]
    collate: Collate | None
    reason: str

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def batch(self, rows: Sequence[int]) -> Data:
        """Inputs and targets of some rows, read now."""
        together = getattr(self.dataset, "__getitems__", None)  # a DataLoader asks it, too
        return self.make_batch([self.dataset[row] for row in rows] if together is None else together(list(rows)))

    def make_batch(self, items: list[Any]) -> Data:
        """Inputs and targets of rows that were read."""
        return stacked(items) if self.collate is None else self.collate(items)


@dataclass(frozen=True)
class Stream(Streamed):
    """Training rows that come one after the other, in an order of their own.

    Attributes:
        dataset: An IterableDataset; it may have no end.
        steps: Batches that are called an epoch.
    """

    dataset: IterableDataset[Any]
    steps: int

    def __len__(self) -> int:
        raise TypeError("a stream has no length")

    def batch(self, rows: Sequence[int]) -> Data:
        """The first so many rows, whatever their numbers are."""
        return self.make_batch(list(islice(iter(self.dataset), len(rows))))


Rows = Data | Streamed


def pair(rows: Rows) -> Data:
    """Inputs and targets, for what trains on nothing else.

    Raises:
        TypeError: The rows are streamed; whoever calls should have asked before.
    """
    if isinstance(rows, Streamed):
        raise TypeError(f"rows of a Dataset: {rows.reason}")
    return rows


def count(rows: Rows) -> int:
    """Number of rows.

    Raises:
        TypeError: They come from a stream, which has an epoch's number of batches instead.
    """
    return len(rows) if isinstance(rows, Streamed) else nest.rows(rows[0]) or 0


def first(rows: Rows, number: int) -> Rows:
    """The first so many rows; of a stream all, for it has no numbers."""
    if isinstance(rows, Stream):
        return rows
    if isinstance(rows, Streamed):
        return replace(rows, dataset=Subset(rows.dataset, range(min(number, len(rows)))))
    return nest.taken(rows[0], slice(number)), nest.taken(rows[1], slice(number))


def first_batch(rows: Rows, size: int) -> Data:
    """Inputs and targets of the first rows, as one batch; leaves every random stream as it was."""
    if not isinstance(rows, Streamed):
        return nest.taken(rows[0], slice(size)), nest.taken(rows[1], slice(size))
    with same_random_numbers():
        return rows.batch(range(size if isinstance(rows, Stream) else min(size, len(rows))))


def tensors(item: Any) -> Data:
    """Input and target of one row of a Dataset; a number becomes a tensor (whole ones int64, others float32).

    Args:
        item: What the Dataset gave.

    Raises:
        InputError: It is no input with a target, or one of them is something that a batch cannot be stacked of.
    """
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        rule = "a row must be an input and a target; several inputs are a tuple or dict of them: ((a, b), target)"
        raise input_error("task", rule, received=kinds(item))
    inputs, target = (_in_tensors(value) for value in item)
    return inputs, target


def stacked(items: Sequence[Any]) -> Data:
    """A batch of rows of a Dataset.

    Args:
        items: What the Dataset gave.

    Raises:
        InputError: A row is of the wrong kind, or shapes differ.
    """
    rows = [tensors(item) for item in items]
    shapes = list(dict.fromkeys(f"{nest.shapes(inputs)} with target {nest.shapes(target)}" for inputs, target in rows))
    if len(shapes) > 1:
        rule = "rows of one batch have different shapes; give the task a collate that pads them to one"
        raise input_error("task", rule, received=", ".join(sorted(shapes)[:3]))
    return nest.stacked([inputs for inputs, _ in rows]), nest.stacked([target for _, target in rows])


def kinds(given: object) -> str:
    """What something is, in a few words, such as ``tuple of 2 (Tensor, ndarray)``."""
    if isinstance(given, Mapping):
        names = ", ".join(f"{key}: {type(part).__name__}" for key, part in list(given.items())[:4])
        return f"{type(given).__name__} of {len(given)} ({names}{', ...' if len(given) > 4 else ''})"
    if isinstance(given, (tuple, list)):
        names = ", ".join(type(part).__name__ for part in given[:4])
        return f"{type(given).__name__} of {len(given)} ({names}{', ...' if len(given) > 4 else ''})"
    return "None" if given is None else type(given).__name__


def random_state() -> tuple[Any, ...]:
    """Where torch's, Python's and numpy's global random streams stand."""
    return torch.get_rng_state(), random.getstate(), np.random.get_state()


@contextmanager
def same_random_numbers() -> Iterator[None]:
    """Whatever is drawn in here, the global random streams go on afterwards as if nothing had been."""
    own, python, arrays = random_state()
    try:
        yield
    finally:
        torch.set_rng_state(own)
        random.setstate(python)
        np.random.set_state(arrays)


def _in_tensors(value: Any) -> Any:
    """A nest with tensors where numbers and arrays were."""
    return nest.converted(_tensor, value)


def _tensor(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, np.ndarray):
        return torch.as_tensor(value)
    if isinstance(value, (int, np.integer, np.bool_)):
        return torch.tensor(int(value))
    if isinstance(value, (float, np.floating)):
        return torch.tensor(float(value))
    rule = "input and target must be tensors, arrays or numbers; give the task a collate for anything else"
    raise input_error("task", rule, received=kinds(value))
