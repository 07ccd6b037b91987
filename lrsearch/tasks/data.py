"""The rows of a task: a pair of tensors, or a Dataset that is read batch by batch."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset

from lrsearch.errors import input_error

Data = tuple[Tensor, Tensor]
"""Inputs [rows, ...] and targets [rows, ...]."""
Collate = Callable[[list[Any]], tuple[Any, Tensor]]
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

    def batch(self, rows: Sequence[int]) -> tuple[Any, Tensor]:
        """Inputs and targets of some rows, read now."""
        return self.make_batch([self.dataset[row] for row in rows])

    def make_batch(self, items: list[Any]) -> tuple[Any, Tensor]:
        """Inputs and targets of rows that were read; what a DataLoader calls."""
        return stacked(items) if self.collate is None else self.collate(items)


Rows = Data | Streamed


def pair(rows: Rows) -> Data:
    """The two tensors, for what trains on nothing else.

    Raises:
        TypeError: The rows are streamed; whoever calls should have asked before.
    """
    if isinstance(rows, Streamed):
        raise TypeError(f"rows of a Dataset: {rows.reason}")
    return rows


def count(rows: Rows) -> int:
    """Number of rows."""
    return len(rows) if isinstance(rows, Streamed) else len(rows[0])


def first(rows: Rows, number: int) -> Rows:
    """The first so many rows."""
    if isinstance(rows, Streamed):
        return replace(rows, dataset=Subset(rows.dataset, range(min(number, len(rows)))))
    return rows[0][:number], rows[1][:number]


def first_batch(rows: Rows, size: int) -> tuple[Any, Tensor]:
    """Inputs and targets of the first rows, as one batch; leaves every random stream as it was."""
    if not isinstance(rows, Streamed):
        return rows[0][:size], rows[1][:size]
    with same_random_numbers():
        return rows.batch(range(min(size, len(rows))))


def tensors(item: Any) -> Data:
    """Input and target of one row of a Dataset; a number becomes a tensor (whole ones int64, others float32).

    Args:
        item: What the Dataset gave.

    Raises:
        InputError: It is no input with a target, or one of them is something that a batch cannot be stacked of.
    """
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        raise input_error("task", "a row must be an input and a target", received=kinds(item))
    inputs, target = (_tensor(value) for value in item)
    return inputs, target


def stacked(items: Sequence[Any]) -> Data:
    """A batch of rows of a Dataset.

    Args:
        items: What the Dataset gave.

    Raises:
        InputError: A row is of the wrong kind, or shapes differ.
    """
    rows = [tensors(item) for item in items]
    if len({(inputs.shape, target.shape) for inputs, target in rows}) > 1:
        shapes = sorted({f"{list(inputs.shape)} with target {list(target.shape)}" for inputs, target in rows})
        rule = "rows of one batch have different shapes; give the task a collate that pads them to one"
        raise input_error("task", rule, received=", ".join(shapes[:3]))
    return torch.stack([inputs for inputs, _ in rows]), torch.stack([target for _, target in rows])


def kinds(given: object) -> str:
    """What something is, in a few words, such as ``tuple of 2 (Tensor, ndarray)``."""
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
