"""What a person may give as data, and what becomes of it."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, IterableDataset, Subset, TensorDataset

from lrsearch.errors import InputError
from lrsearch.tasks import dataset_conversion
from lrsearch.tasks.data import Stream as Stream_
from lrsearch.tasks.data import Streamed, count, first, pair
from lrsearch.tasks.dataset_conversion import gather
from lrsearch.tasks.task import Task

INPUTS = torch.arange(60.0).view(20, 3)


class Listed(Dataset[Any]):
    """Rows from a function of their number."""

    def __init__(self, row: Any, length: int = 20) -> None:
        self.row = row
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.row(index)


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Any:
        yield INPUTS[0], 1


def test_a_pair_of_tensors_stays_what_it_is() -> None:
    targets = INPUTS.sum(dim=1)
    assert gather("train", (INPUTS, targets), None) == (INPUTS, targets)
    assert gather("train", [INPUTS, targets], None) == (INPUTS, targets)


@pytest.mark.parametrize(
    ("row", "kind", "shape"),
    [
        (lambda i: (INPUTS[i], i % 4), torch.int64, (20,)),
        (lambda i: (INPUTS[i].numpy(), np.int32(i)), torch.int64, (20,)),
        (lambda i: (INPUTS[i], float(i)), torch.float32, (20,)),
        (lambda i: [INPUTS[i], np.array([i, i + 1.0], dtype=np.float32)], torch.float32, (20, 2)),
        (lambda i: (INPUTS[i], torch.tensor(i, dtype=torch.uint8)), torch.uint8, (20,)),
    ],
    ids=["class numbers", "numpy", "numbers", "arrays", "tensors"],
)
def test_a_dataset_becomes_a_pair_of_tensors(row: Any, kind: torch.dtype, shape: tuple[int, ...]) -> None:
    inputs, targets = pair(gather("train", Listed(row), None))
    assert torch.equal(inputs, INPUTS)
    assert (targets.dtype, tuple(targets.shape)) == (kind, shape)


def test_tensor_datasets_and_their_parts_are_stacked_too() -> None:
    data = TensorDataset(INPUTS, INPUTS.sum(dim=1))
    assert pair(gather("train", data, None))[0] is INPUTS
    part = pair(gather("train", Subset(data, [3, 1]), None))
    assert torch.equal(part[0], INPUTS[[3, 1]])


def drawing_with_torch(index: int) -> tuple[Tensor, int]:
    return INPUTS[index] + torch.randn(3), 1


def drawing_late(index: int) -> tuple[Tensor, int]:
    """Only rows beyond those that are read twice draw, with Python's or numpy's numbers."""
    drawn = random.random() if index == 17 else np.random.rand() if index == 18 else 0.0
    return INPUTS[index] + 0 * drawn, 1


OWN = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (drawing_with_torch, "not the same when it is read again"),
        (lambda i: (INPUTS[i] + float(OWN.random()), 1), "not the same when it is read again"),
        (drawing_late, "draws random numbers"),
        (lambda i: (torch.ones(i + 1), 1), "different shapes"),
        (lambda i: (INPUTS[i], torch.ones(i + 1)), "different shapes"),
    ],
    ids=["torch", "a generator of its own", "python and numpy", "inputs", "targets"],
)
def test_what_cannot_be_stacked_stays_a_dataset_and_says_why(row: Any, words: str) -> None:
    rows = gather("train", Listed(row), None)
    assert isinstance(rows, Streamed)
    assert words in rows.reason
    with pytest.raises(TypeError, match=words):
        pair(rows)


def test_a_large_dataset_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_conversion, "STACKED_BYTES", 100)
    rows = gather("train", Listed(lambda i: (INPUTS[i], 1)), None)
    assert isinstance(rows, Streamed)
    assert rows.reason.startswith("as tensors it would take")


def test_a_collate_keeps_the_dataset_and_makes_the_batches() -> None:
    def collate(rows: list[Any]) -> tuple[Tensor, Tensor]:
        return nn.utils.rnn.pad_sequence([row for row, _ in rows], batch_first=True), torch.ones(len(rows))

    rows = gather("train", Listed(lambda i: (torch.ones(i + 1), 1)), collate)
    assert isinstance(rows, Streamed)
    assert rows.batch([0, 3])[0].tolist() == [[1, 0, 0, 0], [1, 1, 1, 1]]
    assert count(rows) == 20
    assert count(first(rows, 5)) == 5


def test_nan_rows_are_the_same_when_they_are_read_again() -> None:
    inputs, _ = pair(gather("train", Listed(lambda i: (INPUTS[i] * torch.nan, True)), None))
    assert inputs.isnan().all()


def test_reading_leaves_the_global_random_streams_alone() -> None:
    def numbers() -> tuple[float, float, float]:
        return torch.rand(1).item(), random.random(), float(np.random.rand())

    states = torch.get_rng_state(), random.getstate(), np.random.get_state()
    expected = numbers()
    torch.set_rng_state(states[0])
    random.setstate(states[1])
    np.random.set_state(states[2])
    gather("train", Listed(drawing_with_torch), None)
    gather("train", Listed(drawing_late), None)
    assert numbers() == expected


def test_rows_of_nests_become_nests_of_tensors() -> None:
    inputs, targets = pair(gather("train", Listed(lambda i: ({"x": INPUTS[i], "job": i % 3}, (i, 0.5))), None))
    assert torch.equal(inputs["x"], INPUTS)
    assert inputs["job"].tolist() == [i % 3 for i in range(20)]
    assert [part.dtype for part in targets] == [torch.int64, torch.float32]
    given = ({"x": INPUTS}, [INPUTS, INPUTS])
    assert gather("train", given, None) == given


class Counting(IterableDataset[Any]):
    """So many rows, or without end."""

    def __init__(self, rows: int | None) -> None:
        self.rows = rows

    def __iter__(self) -> Any:
        return ((INPUTS[i % 20], i) for i in (itertools.count() if self.rows is None else range(self.rows)))


def test_a_stream_that_is_judged_by_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pair(gather("test", Counting(30), None))[1].tolist() == list(range(30))
    monkeypatch.setattr(dataset_conversion, "STACKED_BYTES", 1000)
    with pytest.raises(InputError, match=r"test = Counting: has not ended after \d+ rows: only training rows may be"):
        gather("test", Counting(None), None)


def test_training_rows_of_a_stream_stay_one() -> None:
    task = Task(lambda: nn.Linear(3, 1), Counting(None), Counting(7), "mse", "mse", steps_per_epoch=4)
    assert isinstance(task.train, Stream_)
    assert task.train.steps == 4
    assert count(task.test) == 7
    assert task.streamed == "train rows come from a stream"


@pytest.mark.parametrize(
    ("steps", "train", "words"),
    [
        (0, Counting(None), "steps_per_epoch = 0: must be a whole number of batches"),
        (True, Counting(None), "steps_per_epoch = True: must be a whole number"),
        (4, (INPUTS, INPUTS), "steps_per_epoch = 4: is only for a stream"),
    ],
)
def test_steps_are_for_streams(steps: Any, train: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Task(lambda: nn.Linear(3, 1), train, (INPUTS, INPUTS), "mse", "mse", steps_per_epoch=steps)


def fails(index: int) -> Any:
    return INPUTS[99]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (INPUTS, "train = Tensor: must be a pair of tensors"),
        (None, "train = None"),
        ((INPUTS.numpy(), INPUTS.numpy()), r"tuple of 2 \(ndarray, ndarray\)"),
        ((INPUTS, INPUTS[:7]), r"inputs \[20, 3\], targets \[7, 3\]: needs as many targets"),
        ((INPUTS[:0], INPUTS[:0]), "at least one row"),
        ((INPUTS, torch.tensor(1.0)), "needs as many targets as inputs"),
        (Listed(None, 0), "an empty Listed: needs at least one row"),
        (Stream(), r"Stream: a stream has no length: write Task\(steps_per_epoch=N\)"),
        (Listed(lambda i: (INPUTS[i], i, i)), r"train\[0\] = tuple of 3 \(Tensor, int, int\): a row must be"),
        (Listed(lambda i: {"x": INPUTS[i], "y": i}), r"dict of 2 \(x: Tensor, y: int\): a row must be an input and a"),
        (({"x": INPUTS, "y": INPUTS[:7]}, INPUTS), r'inputs \{"x": \[20, 3\], "y": \[7, 3\]\}, targets'),
        (({"x": INPUTS, "y": 3}, INPUTS), r"tuple of 2 \(dict, Tensor\): must be a pair of tensors"),
        (Listed(lambda i: (INPUTS[i], "cat" if i == 7 else 1)), r"train\[7\] = str: input and target must be"),
        (
            Listed(fails),
            r"train\[0\] = Listed: cannot be read: IndexError: .* \(line \d+ of test_dataset_conversion.py\)",
        ),
        (TensorDataset(INPUTS), r"tuple of 1 \(Tensor\): a row must be"),
    ],
)
def test_what_is_no_data_is_named(given: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Task(lambda: nn.Linear(3, 1), given, (INPUTS, INPUTS), "mse", "mse")
