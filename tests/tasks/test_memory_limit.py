"""What would fill the machine is refused before any of it is made."""

from __future__ import annotations

from typing import Any

import psutil
import pytest
import torch
from torch import nn

import lrsearch
from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.tasks import memory_limit
from lrsearch.training.definition import parse

ROWS = (torch.zeros(8, 2), torch.zeros(8, 1)), (torch.ones(8, 2), torch.ones(8, 1))


def taken() -> int:
    return int(psutil.Process().memory_info().rss)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hidden": [10**9, 10**9]}, "hidden = .*weights .* a quarter of this machine's memory"),
        ({"hidden": [20_000] * 60}, "hidden = .*, \\.\\.\\.\\]"),
        ({"hidden": [4] * 2000}, "at most this many entries: 1000"),
        ({"rows": 10**11}, "asks for a tensor of .* half of this machine's memory"),
        ({"holdout_rows": 10**10}, "asks for a tensor"),
        ({"rows": 10**30}, "must be at most"),
        ({"degree": 10**400}, "must be at most"),
        ({"seed": 10**30}, "must be smaller than"),
    ],
)
def test_a_built_in_task_that_is_too_large_is_refused(options: dict[str, Any], said: str) -> None:
    """By its options; the limit is in the message."""
    before = taken()
    with pytest.raises(InputError, match=said):
        registry.tasks.get("polynomial").build(options)
    assert taken() - before < 2**28


def test_a_task_of_ones_own_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in it torch is asked; the parts before count, as far as they are still there."""
    monkeypatch.setattr(registry, "tasks", registry.Registry("task", []))
    (train, test), limit = ROWS, memory_limit.machine_memory()

    @lrsearch.task
    def large_rows(rows: int = 2) -> lrsearch.Task:
        """Rows that fill the machine."""
        wide = torch.zeros(size=(limit // 4, rows))
        return lrsearch.Task(model=lambda: nn.Linear(2, 1), train=(wide, wide), test=test, loss="mse", metric="mse")

    @lrsearch.task
    def large_network(width: int = limit // 8) -> lrsearch.Task:
        """A network that fills the machine."""
        return lrsearch.Task(
            model=lambda: nn.Sequential(nn.Linear(2, width), nn.Linear(width, 1)),
            train=train, test=test, loss="mse", metric="mse",
        )  # fmt: skip

    before = taken()
    for definition in (large_rows, large_network):
        with pytest.raises(InputError, match=f"task {definition.name}: asks for a tensor of .* at most"):
            definition.build({})
    assert taken() - before < 2**28


def test_parts_that_fit_one_by_one_do_not_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much the process has grown is part of the sum."""
    monkeypatch.setattr(memory_limit, "machine_memory", lambda: 2**28)
    monkeypatch.setattr(memory_limit, "LOOK_AGAIN", 2**24)
    kept: list[torch.Tensor] = []
    with pytest.raises(InputError, match="beside"), memory_limit.watched():
        kept.extend(torch.ones(2**22) for _ in range(16))
    assert 2 < len(kept) < 12
    kept.clear()
    with memory_limit.watched():
        for _ in range(16):
            torch.ones(2**22)  # gone before the next


@pytest.mark.parametrize(("batch", "said"), [(4000, "an update of 4000 rows"), (1, "an evaluation")])
def test_a_batch_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch, batch: int, said: str) -> None:
    """The task itself may be small; it is what passes through the network that is not."""
    document = {"task": {"name": "polynomial", "rows": 8000, "hidden": [500]}, "training": {"batch_size": batch}}
    definition = parse({**document, "lr": 0.01}, "test")
    task = definition.build_task()
    monkeypatch.setattr("lrsearch.training.room.machine_memory", lambda: 2**24)
    with pytest.raises(InputError, match=f"training.batch_size = {batch}: {said} .* this machine has 16 MiB"):
        definition.start(task)
    monkeypatch.setattr("lrsearch.training.room.machine_memory", lambda: 2**30)
    definition.start(task)


def test_sizes_are_told_in_words() -> None:
    assert [memory_limit.in_words(size) for size in (12, 2048, 5 * 2**20, 2**34, 2**60)] == [
        "12 bytes", "2 KiB", "5 MiB", "16 GiB", "1,073,741,824 GiB",
    ]  # fmt: skip
