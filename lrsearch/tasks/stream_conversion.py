"""An IterableDataset as rows of a task: a stream to train on, and rows in memory to be judged by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.utils.data import Dataset, IterableDataset

from lrsearch.errors import input_error
from lrsearch.tasks import nest
from lrsearch.tasks.data import Collate, Stream
from lrsearch.tasks.error_location import sentence

MOST_ROWS = 1_000_000
"""A stream that is judged by and has not ended after so many rows is taken for one that never does."""
REASON = "they come from a stream"


class Listed(Dataset[Any]):
    """Rows that were read from a stream, by number."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return self.rows[index]


def stream_to_train_on(dataset: IterableDataset[Any], collate: Collate | None, steps: int | None) -> Stream:
    """Training rows that are read as they come.

    Args:
        dataset: The stream.
        collate: Makes a batch of rows.
        steps: Batches that are called an epoch.

    Raises:
        InputError: Their number is not given.
    """
    if steps is None:
        rule = "a stream has no length: write Task(steps_per_epoch=N), the number of batches that are called an epoch"
        raise input_error("task", rule, key="train", received=type(dataset).__name__)
    return Stream(dataset, collate, REASON, steps)


def read_to_the_end(part: str, dataset: IterableDataset[Any], most_bytes: int) -> Listed:
    """The rows of a stream that ends, in memory: whatever is judged by them must be judged by the same ones.

    Args:
        part: What they are called in messages.
        dataset: The stream.
        most_bytes: It may have so many.

    Raises:
        InputError: It does not end, or fails.
    """
    rows: list[Any] = []
    size = 0
    for item in _items(part, dataset):
        rows.append(item)
        size += sum(tensor.numel() * tensor.element_size() for tensor in nest.tensors(item))
        if size > most_bytes or len(rows) > MOST_ROWS:
            rule = (
                f"has not ended after {len(rows)} rows: only training rows may be an endless stream; "
                "take the first ones with itertools.islice, or give a Dataset"
            )
            raise input_error("task", rule, key=part, received=type(dataset).__name__)
    return Listed(rows)


def _items(part: str, dataset: IterableDataset[Any]) -> Iterator[Any]:
    try:
        yield from dataset
    except Exception as error:
        rule = f"cannot be read: {sentence(error)}"
        raise input_error("task", rule, key=part, received=type(dataset).__name__) from error
