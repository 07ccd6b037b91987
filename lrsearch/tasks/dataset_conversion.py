"""From what a person gave as data to the rows of a task: a Dataset becomes tensors where it can.

A map-style Dataset is read once, row by row, and stacked, for tensors are what both engines train on. Three kinds
stay what they are, and are read by a DataLoader while the sequential engine trains: one whose rows have different
shapes, one that draws random numbers when a row is read (augmentation), and one that is too large. An IterableDataset
is a stream (see `stream_conversion`).
"""

from __future__ import annotations

import pickle
from typing import Any, TypeGuard

import torch
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from lrsearch.errors import InputError, input_error
from lrsearch.tasks import nest
from lrsearch.tasks.data import (
    Collate,
    Data,
    Rows,
    Streamed,
    kinds,
    random_state,
    same_random_numbers,
    stacked,
    tensors,
)
from lrsearch.tasks.error_location import sentence
from lrsearch.tasks.stream_conversion import read_to_the_end, stream_to_train_on

STACKED_BYTES = 2**30
"""A Dataset that would take more as tensors is not stacked."""
READ_TWICE = 16
"""So many rows are read twice, to see whether they stay the same."""


def gather(part: str, given: object, collate: Collate | None, steps: int | None = None) -> Rows:
    """The rows that a person gave, as tensors where that is possible.

    Args:
        part: What they are called in messages, such as ``train``.
        given: A pair of tensors or of nests of them, a Dataset, or what this function has returned before.
        collate: Makes a batch of rows; where it is given, a Dataset stays what it is.
        steps: Batches that an epoch of a stream has.

    Raises:
        InputError: They are something else, empty, or inputs and targets differ in number.
    """
    if isinstance(given, TensorDataset) and len(given.tensors) == 2 and collate is None:
        given = given.tensors
    if isinstance(given, Streamed):
        return given
    if isinstance(given, IterableDataset):
        if part == "train":
            return stream_to_train_on(given, collate, steps)
        with same_random_numbers():
            given = read_to_the_end(part, given, STACKED_BYTES)
    if isinstance(given, Dataset):
        return _from_dataset(part, given, collate)
    if not _is_pair(given):
        rule = (
            "must be a pair of tensors (inputs, targets), or of dicts and tuples of them, or a torch Dataset; "
            "torch.as_tensor takes an array"
        )
        raise input_error("task", rule, key=part, received=kinds(given))
    inputs, targets = given
    rows = nest.rows(inputs)
    if not rows or rows != nest.rows(targets) or not all(tensor.ndim for tensor in nest.tensors([inputs, targets])):
        shapes = f"inputs {nest.shapes(inputs)}, targets {nest.shapes(targets)}"
        raise input_error("task", "needs as many targets as inputs, and at least one row", key=part, received=shapes)
    return inputs, targets


def _from_dataset(part: str, dataset: Dataset[Any], collate: Collate | None) -> Rows:
    kind = type(dataset).__name__
    if not hasattr(dataset, "__len__"):
        rule = "needs a length and rows by number: every epoch goes through the same rows in a new order"
        raise input_error("task", rule, key=part, received=kind)
    rows = len(dataset)
    if rows == 0:
        raise input_error("task", "needs at least one row", key=part, received=f"an empty {kind}")
    if collate is not None:
        return Streamed(dataset, collate, "the task has a collate")
    with same_random_numbers():
        return _read_all(part, dataset, rows)


def _read_all(part: str, dataset: Dataset[Any], rows: int) -> Rows:
    items = [_read(part, dataset, row) for row in range(min(rows, READ_TWICE))]
    size = rows * sum(value.numel() * value.element_size() for value in nest.tensors(items[0]))
    if size > STACKED_BYTES:
        return Streamed(dataset, None, f"as tensors it would take {size / 2**30:.1f} GiB")
    if not all(nest.equal(item, _read(part, dataset, row)) for row, item in enumerate(items)):
        return Streamed(dataset, None, "a row is not the same when it is read again")
    before = random_state()
    items += [_read(part, dataset, row) for row in range(len(items), rows)]
    if not _same_state(before, random_state()):
        return Streamed(dataset, None, "reading a row draws random numbers")
    if len({nest.shapes(item) for item in items}) > 1:
        return Streamed(dataset, None, "its rows have different shapes")
    return stacked(items)


def _read(part: str, dataset: Dataset[Any], row: int) -> Data:
    try:
        return tensors(dataset[row])
    except InputError as error:
        fault = error.faults[0]
        raise input_error("task", fault.rule, key=f"{part}[{row}]", received=fault.received) from None
    except Exception as error:
        rule = f"cannot be read: {sentence(error)}"
        raise input_error("task", rule, key=f"{part}[{row}]", received=type(dataset).__name__) from error


def _is_pair(given: object) -> TypeGuard[Data]:
    return isinstance(given, (tuple, list)) and len(given) == 2 and all(map(_is_of_tensors, given))


def _is_of_tensors(value: object) -> bool:
    """Whether a nest has tensors, and nothing else."""
    own = nest.children(value)
    return isinstance(value, Tensor) if own is None else bool(own) and all(_is_of_tensors(child) for _, child in own)


def _same_state(first: tuple[Any, ...], second: tuple[Any, ...]) -> bool:
    return torch.equal(first[0], second[0]) and pickle.dumps(first[1:]) == pickle.dumps(second[1:])
