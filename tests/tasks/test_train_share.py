"""Training on a share of the rows: nested, the same for every seed, and an option that every task has."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.utils.data import IterableDataset, TensorDataset

import lrsearch
from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.tasks.data import Streamed
from lrsearch.tasks.task import Task
from lrsearch.tasks.train_share import reduced


def task(train: object = None) -> Task:
    rows = torch.arange(40.0)[:, None]
    kept = (rows, rows) if train is None else train
    return Task(model=lambda: nn.Linear(1, 1), train=kept, test=(rows + 100, rows), loss="mse", metric="mse")  # type: ignore[arg-type]


def rows_of(made: Task) -> set[float]:
    assert isinstance(made.train, tuple)
    return set(made.train[0][:, 0].tolist())


def test_a_smaller_share_is_within_a_larger_one() -> None:
    small, large = (rows_of(reduced(task(), share)) for share in (0.1, 0.5))
    assert (len(small), len(large)) == (4, 20)
    assert small < large
    assert large != set(range(20))
    assert rows_of(reduced(task(), 1.0)) == rows_of(task())


def test_inputs_stay_with_their_targets_and_test_rows_stay() -> None:
    made = reduced(task(), 0.3)
    assert isinstance(made.train, tuple)
    assert torch.equal(*made.train)
    assert made.test[0].shape == (40, 1)  # type: ignore[index]


def test_a_dataset_that_is_read_row_by_row_is_reduced() -> None:
    kept = Streamed(TensorDataset(torch.arange(40.0)[:, None], torch.zeros(40, 1)), None, "for the test")
    made = task()
    object.__setattr__(made, "train", kept)
    first = replace(made)
    object.__setattr__(first, "train", kept)
    assert reduced(first, 0.25).train_rows == 10


class Endless(IterableDataset[object]):
    def __iter__(self):  # type: ignore[no-untyped-def]
        while True:
            yield torch.zeros(1), torch.zeros(1)


def test_a_stream_and_too_few_rows_are_refused() -> None:
    made = Task(model=lambda: nn.Linear(1, 1), train=Endless(), test=task().test, loss="mse", metric="mse",
                steps_per_epoch=2)  # fmt: skip
    with pytest.raises(InputError, match="stream"):
        reduced(made, 0.5)
    with pytest.raises(InputError, match="leaves fewer than 2 of 40"):
        reduced(task(), 0.01)


def test_every_task_has_the_option() -> None:
    whole, half = (registry.tasks.get("polynomial").build(options) for options in ({}, {"train_share": 0.5}))
    assert half.train_rows == whole.train_rows / 2
    with pytest.raises(InputError, match="train_share"):
        registry.tasks.get("polynomial").build({"train_share": 1.5})


def test_a_task_may_have_an_option_of_that_name_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.tasks, "add", lambda *_: None)

    @lrsearch.task
    def own_share(train_share: float = 1.0) -> Task:
        return replace(task(), direction="minimize" if train_share == 7.0 else "maximize")

    assert not own_share.has_share
    made = own_share.build({"train_share": 7.0})
    assert (made.direction, made.train_rows) == ("minimize", 40)
