"""Which engine `auto` takes, and what it says about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from compiler import needs_compiler
from torch import nn
from workloads import TASKS, polynomial, regression

from lrsearch.errors import InputError
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import pair
from lrsearch.training import choice
from lrsearch.training.choice import choose_engine
from lrsearch.training.compiled import sums as sums
from lrsearch.training.compiled.arithmetic import pointwise
from lrsearch.training.compiled.rules import ATEN, OPERATIONS, Given, Operation
from lrsearch.training.compiled.values import Value
from lrsearch.training.timing import gain

TRAINING = TrainingSection(batch_size=16)


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(8, 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.last(rows)
        return out if out.sum() > 0 else 2 * out


@pytest.mark.parametrize(
    ("factor", "engine", "line"),
    [
        (5.0, "batched", "engine: batched"),
        (0.5, "sequential", "engine: sequential (batches would be right here, but take 2.0 times as long)"),
    ],
)
def test_auto_takes_the_faster_one(factor: float, engine: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "gain", lambda *_: factor)
    chosen, said = choose_engine("auto", polynomial(), TRAINING, "cpu")
    assert (chosen.name, said) == (engine, line)
    assert choose_engine("batched", polynomial(), TRAINING, "cpu")[0].name == "batched"


def test_a_task_that_cannot_be_batched_is_refused_only_where_a_batch_is_asked_for() -> None:
    chosen, said = choose_engine("auto", regression(Branching), TRAINING, "cpu")
    assert chosen.name == "sequential"
    assert "the model (Branching): looks at" in said
    with pytest.raises(InputError, match="Branching"):
        choose_engine("batched", regression(Branching), TRAINING, "cpu")


@pytest.mark.parametrize("batch_size", [2, 16, 500])
@pytest.mark.parametrize("task", ["layer_norm", "convolution"])
def test_measuring_leaves_nothing_behind(task: str, batch_size: int) -> None:
    """Neither in the random stream nor in the task, with batches of any size."""
    torch.manual_seed(7)
    before = torch.get_rng_state()
    rows = pair(TASKS[task].train)[0].clone()
    assert gain(TASKS[task], TrainingSection(batch_size=batch_size)) > 0
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(pair(TASKS[task].train)[0], rows)


def test_compiled_code_that_is_not_to_be_had_is_refused_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    task = regression(TASKS["layer_norm"].model)
    with pytest.raises(InputError, match=r'--engine = "compiled": cannot train this task: there is no C\+\+ compiler'):
        choose_engine("compiled", task, TRAINING, "cpu")


def test_compiled_code_that_is_wrong_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_compiler()
    right = OPERATIONS[ATEN.sum.dim_IntList]

    def wrong(given: Given, *arguments: Any, **named: Any) -> Value:
        whole = right.rule(given, *arguments, **named)
        return pointwise(whole.shape, whole.kind, whole.kind, "({0} * {1})", whole, 1.1)

    monkeypatch.setitem(OPERATIONS, ATEN.sum.dim_IntList, Operation(wrong))
    with pytest.raises(InputError, match=r'"compiled": cannot train this task: .* one by one'):
        choose_engine("compiled", regression(TASKS["layer_norm"].model), TRAINING, "cpu")


def test_a_task_that_cannot_be_batched_cannot_be_compiled() -> None:
    with pytest.raises(InputError, match="Branching"):
        choose_engine("compiled", regression(Branching), TRAINING, "cpu")
