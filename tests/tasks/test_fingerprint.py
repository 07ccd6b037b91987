"""The fingerprint of data: other rows are seen, rounding is not."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import Dataset

import lrsearch
from lrsearch.tasks.fingerprint import differences, fingerprint


def data(seed: int = 0, rows: int = 60) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, 3, generator=generator), torch.randint(0, 2, (rows,), generator=generator)


def task(train: Any, test: Any = None, **parts: Any) -> lrsearch.Task:
    model = lambda: torch.nn.Linear(3, 2)  # noqa: E731
    return lrsearch.Task(model, train, data(9) if test is None else test, "cross_entropy", "cross_entropy", **parts)


def test_the_same_data_have_the_same_fingerprint() -> None:
    assert fingerprint(task(data())) == fingerprint(task(data()))
    assert differences(fingerprint(task(data())), fingerprint(task(data()))) == []


def swapped(values: Tensor) -> Tensor:
    return values[[1, 0, *range(2, len(values))]]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda x, y: (x[:50], y[:50]), "train rows 50 against 60"),
        (lambda x, y: (x[:, :2], y), "train inputs shape [2] against [3]"),
        (lambda x, y: (x.double(), y), "train inputs type float64 against float32"),
        (lambda x, y: (swapped(x), y), "train inputs with other numbers in the same shape"),
        (lambda x, y: (x + 1e-3, y), "train inputs with other numbers in the same shape"),
        (lambda x, y: (x[:, [1, 0, 2]], y), "train inputs with other numbers in the same shape"),
        (lambda x, y: (x, 1 - y), "train targets with other numbers in the same shape"),
    ],
)
def test_what_differs_is_named(changed: Any, said: str) -> None:
    there = fingerprint(task(data()))
    assert differences(fingerprint(task(changed(*data()))), there) == [said]


def test_one_changed_number_among_many_is_seen() -> None:
    inputs, targets = data(rows=5000)
    changed = inputs.clone()
    changed[4321, 1] += 1
    assert differences(fingerprint(task((changed, targets))), fingerprint(task((inputs, targets))))


def test_a_part_that_is_missing_is_named() -> None:
    there = fingerprint(task(data(), holdout=data(3)))
    assert differences(fingerprint(task(data())), there) == ["holdout rows none against 60"]


def test_last_bits_may_differ() -> None:
    """Generated data differ so between versions of torch; of thousands of numbers some always round the other way."""
    inputs, targets = data(rows=5000)
    noise = torch.randn(inputs.shape, generator=torch.Generator().manual_seed(7))
    assert not torch.equal(inputs, inputs * (1 + 2e-7 * noise))
    there = fingerprint(task((inputs, targets)))
    assert differences(fingerprint(task((inputs * (1 + 2e-7 * noise), targets))), there) == []


class Words(Dataset[Any]):
    """Rows of different lengths, so that they stay a Dataset; with noise if asked for."""

    def __init__(self, last: str, rows: int = 30, noise: float = 0.0) -> None:
        self.words = [*(f"{'w' * (row % 5)}{row}" for row in range(rows - 1)), last]
        self.noise = noise

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, row: int) -> tuple[Any, int]:
        return {"text": self.words[row], "number": 0.5 + self.noise * torch.rand(()).item()}, row % 2


def collate(items: list[tuple[Any, int]]) -> tuple[Tensor, Tensor]:
    return torch.tensor([[len(i["text"]), i["number"], 1.0] for i, _ in items]), torch.tensor([t for _, t in items])


def streamed(words: Words) -> lrsearch.Task:
    return task(words, Words("test"), collate=collate)


def test_a_dataset_is_known_by_its_length_and_its_ends() -> None:
    there = fingerprint(streamed(Words("end")))
    assert differences(fingerprint(streamed(Words("end"))), there) == []
    assert differences(fingerprint(streamed(Words("end", rows=31))), there) == ["train rows 31 against 30"]
    assert differences(fingerprint(streamed(Words("END"))), there) == [
        "train row 29 with other numbers in the same shape"
    ]


def test_what_is_drawn_at_random_says_nothing_and_leaves_the_streams_alone() -> None:
    state = torch.get_rng_state()
    once = fingerprint(streamed(Words("end", noise=1.0)))
    assert torch.equal(torch.get_rng_state(), state)
    assert differences(fingerprint(streamed(Words("end", noise=2.0))), once) == []
