"""Groups of parameters: each that is trained in exactly one, with a rate that the schedule multiplies."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from lrsearch.errors import InputError
from lrsearch.schedules.classical import Constant
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.check import check
from lrsearch.tasks.parameter_groups import groups_of
from lrsearch.tasks.task import Task
from lrsearch.training.loop import start

DATA = torch.randn(20, 3), torch.randn(20, 1)


def network() -> Any:
    return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (lambda m: [{"params": m[0].parameters()}], "no group has 1.weight, 1.bias: add what is missing, or freeze"),
        (
            lambda m: [{"params": m.parameters()}, {"params": m[1].parameters()}],
            "parameters = 1.weight (groups 0, 1), 1.bias (groups 0, 1): a parameter belongs to one group only",
        ),
        (lambda m: [{"params": m.parameters(), "lr": 0.1}], "parameters[0].lr = 0.1: the study sets the rate; write l"),
        (lambda m: [{"params": m.parameters(), "lr_scale": 0}], "parameters[0].lr_scale = 0: must be a number larger"),
        (lambda m: [{"params": m.parameters(), "lr_scale": "x"}], "parameters[0].lr_scale = 'x': must be a number la"),
        (
            lambda m: [{"params": [*m.parameters(), nn.Parameter(torch.ones(1))]}],
            "parameters[0]: has a parameter that is none of the model's",
        ),
        (lambda m: [m.parameters()], 'parameters = generator: each group must be a dictionary with "params"'),
        (lambda _: [{"params": ["weight"]}], "parameters = str: params must be parameters of the model"),
        (lambda m: m.head, "parameters: fails: AttributeError: 'Sequential' object has no attribute 'head' (line"),
    ],
)
def test_what_is_wrong_is_said_in_words(groups: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        check(Task(network, DATA, DATA, "mse", "mse", parameters=groups), "mine")
    assert "task mine: " in str(caught.value)
    assert words in str(caught.value)


def test_parameters_must_be_a_function() -> None:
    with pytest.raises(InputError, match=r"parameters = list of 0 .*must be a function of the model"):
        Task(network, DATA, DATA, "mse", "mse", parameters=[])  # type: ignore[arg-type]


def test_an_argument_that_the_optimizer_has_not_is_refused() -> None:
    """Such an argument torch would keep and never look at."""
    groups = lambda m: [{"params": m.parameters(), "weight_decy": 0.0}]  # noqa: E731
    with pytest.raises(InputError, match=r"weight_decy: sgd has no such argument of a group; did you mean weight_deca"):
        start(Task(network, DATA, DATA, "mse", "mse", parameters=groups), Constant(), 0.1, TrainingSection(), 1)


def test_tied_and_frozen_parameters_and_single_tensors() -> None:
    model = network()
    model[0].bias.requires_grad_(False)
    groups = groups_of(lambda m: [{"params": m[0].weight}, {"params": m[1].named_parameters()}], model)
    assert [len(group["params"]) for group in groups] == [1, 2]


def test_without_groups_there_is_one_of_all() -> None:
    model = network()
    assert groups_of(None, model) == [{"params": list(model.parameters())}]
