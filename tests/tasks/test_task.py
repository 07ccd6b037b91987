"""The decorator and the value that every task is made of."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import lrsearch
from lrsearch import registry
from lrsearch.errors import InputError, LrsearchError
from lrsearch.tasks.metrics import accuracy, error

DATA = (torch.zeros(4, 2), torch.zeros(4, 1))
OTHERS = (torch.ones(3, 2), torch.ones(3, 1))


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "tasks", registry.Registry("task", []))


def unfitting(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return outputs.mean() - targets.mean()


def simple(**parts: object) -> lrsearch.Task:
    given = {"model": lambda: nn.Linear(2, 1), "train": DATA, "test": OTHERS, "loss": "mse", "metric": "mse"}
    return lrsearch.Task(**{**given, **parts})  # type: ignore[arg-type]


def test_a_function_becomes_a_task_with_checked_options() -> None:
    @lrsearch.task
    def mine(*, width: int = 3) -> lrsearch.Task:
        """One line."""
        return simple(model=lambda: nn.Linear(2, width), loss=unfitting, metric=unfitting)

    assert registry.tasks.get("mine") is mine
    assert mine.summary == "One line."
    assert mine(width=5).model().out_features == 5
    with pytest.raises(InputError, match="width"):
        mine.build({"width": "5"})


def test_a_task_may_have_another_name_than_its_function() -> None:
    @lrsearch.task("another-name")
    def mine(*, width: int = 3) -> lrsearch.Task:
        """One line."""
        return simple(model=lambda: nn.Linear(2, width), loss=unfitting, metric=unfitting)

    @lrsearch.task()
    def plain() -> lrsearch.Task:
        return simple()

    assert (mine.name, mine.summary, mine(width=5).model().out_features) == ("another-name", "One line.", 5)
    assert registry.tasks.get("another-name") is mine
    assert registry.tasks.get("plain") is plain


@pytest.mark.parametrize("name", ["", "a:b", "a b", 3])
def test_a_name_is_one_word(name: Any) -> None:
    with pytest.raises(InputError, match="takes a name without colons and spaces"):
        lrsearch.task(name)


def test_options_need_a_type_and_a_default() -> None:
    with pytest.raises(LrsearchError, match="width: needs a type and a default"):

        @lrsearch.task
        def mine(width) -> lrsearch.Task:  # type: ignore[no-untyped-def]
            return simple()


def test_a_function_must_return_a_task() -> None:
    @lrsearch.task
    def mine() -> lrsearch.Task:
        return 3  # type: ignore[return-value]

    with pytest.raises(InputError, match=r"task mine: must return an lrsearch\.Task, and returned int"):
        mine()


def test_a_name_is_taken_once() -> None:
    def mine() -> lrsearch.Task:
        return simple()

    lrsearch.task(mine)
    with pytest.raises(LrsearchError, match="registered already"):
        lrsearch.task(mine)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"metric": "mze"}, "unknown metric"),
        ({"loss": "accuracy"}, "unknown metric"),
        (
            {"train": (torch.zeros(4, 2), torch.zeros(3, 1))},
            r"inputs \[4, 2\], targets \[3, 1\]: needs",
        ),
        ({"test": (torch.zeros(0, 2), torch.zeros(0, 1))}, "at least one row"),
    ],
)
def test_broken_parts_are_named(parts: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        simple(**parts)


def test_classification_metrics() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0]])
    targets = torch.tensor([0, 1, 1])
    assert float(accuracy(logits, targets)) == pytest.approx(2 / 3)
    assert float(error(logits, targets)) == pytest.approx(1 / 3)
    assert torch.isnan(error(logits * torch.nan, targets))
    task = simple(metric="cross_entropy", loss="cross_entropy")
    assert float(task.metric_function(logits, targets.int())) == pytest.approx(
        float(nn.functional.cross_entropy(logits, targets))
    )
    assert list(task.extra) == ["accuracy"]
