"""A task of nests as one of tensors: the same numbers inside of the network, the loss and the metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from own_tasks import CASES, TEST, TRAIN, X, Y
from torch import Tensor, nn
from workloads import TASKS

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.packing import packed
from lrsearch.training.probe import probe


@pytest.mark.parametrize("name", ["dict", "tuple", "named tuple", "dataclass", "forward of its own", "several targets"])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_a_packed_task_computes_the_same(name: str, kind: torch.dtype) -> None:
    """In the network's own type, and where it computes in another one, which its inputs then have, too."""
    task = CASES[name].task
    made = packed(task)
    inputs, targets = made.train
    assert isinstance(inputs, Tensor)
    assert isinstance(targets, Tensor)
    if inputs is task.train[0]:  # whoever changes the type of a network changes that of its rows
        inputs = inputs.to(kind)
    torch.manual_seed(0)
    model = task.model()
    torch.manual_seed(0)
    wrapped = made.model().to(kind)
    with torch.no_grad():
        expected = task.loss_function(task.call(model, task.train[0]), task.train[1])
        found = made.loss_function(wrapped(inputs), targets)
    assert found.dtype == kind
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


def test_plain_tensors_stay_what_they_are() -> None:
    assert all(packed(task) is task for task in TASKS.values())


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(6, 1)

    def forward(self, rows: Tensor) -> Any:
        out = self.last(rows)
        return out, out.argmax(1)


def first(outputs: Any, targets: Tensor) -> Tensor:
    return (outputs[0] - targets).square().mean()


def test_outputs_of_several_types_are_trained_one_by_one() -> None:
    task = Task(Mixed, (X[TRAIN], Y[TRAIN]), (X[TEST], Y[TEST]), first, first)
    reason = "the outputs are not all tensors [rows, ...] of one type with a fraction"
    assert probe(task, TrainingSection()).reason == reason


def test_large_whole_numbers_are_trained_one_by_one() -> None:
    task = CASES["dict"].task
    inputs, targets = task.train
    large = replace(task, train=({**inputs, "job": inputs["job"] + 2**60}, targets), forward=only_measurements)
    assert probe(large, TrainingSection()).reason == "whole numbers are larger than 2^53"


def only_measurements(model: Any, inputs: Any) -> Tensor:
    outputs: Tensor = model(inputs["measurements"], inputs["job"] % 5)
    return outputs


def test_reasons_name_modules_as_their_owner_does() -> None:
    class Recounting(nn.Module):
        """Looks at a value, which no batch can."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(6, 1)

        def forward(self, rows: Tensor) -> Tensor:
            out: Tensor = self.inner(rows) * (2 if float(rows.sum()) > 0 else 1)
            return out

    task = Task(Recounting, ({"rows": X[TRAIN]}, Y[TRAIN]), ({"rows": X[TEST]}, Y[TEST]), "mse", "mse")
    assert probe(task, TrainingSection()).reason.startswith("Recounting: looks at a tensor's value")
