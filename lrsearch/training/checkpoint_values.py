"""The numbers of a checkpoint, checked as those of a study file are: whoever wrote it, none is taken on trust."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import torch
from pydantic import ConfigDict, Field, FiniteFloat

from lrsearch.errors import Fault
from lrsearch.study_file.axes import StrictModel
from lrsearch.study_file.faults import show, validate
from lrsearch.study_file.model import MOST_EPOCHS, MOST_THREADS

Measured = Annotated[float, Field(allow_inf_nan=True)]
"""A run that diverged has measured what is no number."""
Rate = Annotated[FiniteFloat, Field(ge=0)]


class _Values(StrictModel):
    """Keys that are no plain numbers stand beside these."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, allow_inf_nan=True)


class _Before(_Values):
    train_loss: Measured
    train_metric: Measured
    test_metric: Measured
    extra: dict[str, Measured]


class _Record(_Values):
    epoch: int = Field(ge=1, le=MOST_EPOCHS)
    lr: Rate
    train_metric: Measured
    test_metric: Measured
    extra: dict[str, Measured]
    diverged: bool
    seconds: Rate


class _State(_Values):
    epoch: int = Field(ge=0, le=MOST_EPOCHS)
    lr: FiniteFloat = Field(gt=0)
    diverged: bool
    before: _Before
    records: list[_Record] = Field(max_length=MOST_EPOCHS)


class _Content(_Values):
    threads: int = Field(ge=1, le=MOST_THREADS)
    definition: dict[str, Any]
    state: _State


def faults_of(content: dict[str, Any]) -> list[Fault]:
    """What is wrong with the numbers of a checkpoint.

    Args:
        content: All that the file holds.
    """
    faults: list[Fault] = []
    checked = validate(_Content, content, "", faults)
    if checked is None:
        return faults
    state = checked.state
    if [record.epoch for record in state.records] != list(range(1, state.epoch + 1)):
        rule = f"must be one for each of the {state.epoch} epochs, in their order"
        return [Fault("state.records", rule, f"{len(state.records)} records")]
    if state.records and state.records[-1].diverged != state.diverged:
        return [Fault("state.diverged", "must be what the last record says", show(state.diverged))]
    return []


def check_optimizer(optimizer: torch.optim.Optimizer, settings: list[dict[str, Any]]) -> None:
    """Whether an optimizer that was loaded is the one that was made: its settings, and the shape of its memory.

    Some keep memory beside the settings of a group: what is no argument of theirs is not compared.

    Args:
        optimizer: What was loaded into.
        settings: Its parameter groups before.

    Raises:
        ValueError: It is another one.
    """
    own, of_torch = inspect.signature(type(optimizer)).parameters, type(optimizer).__module__.startswith("torch.")
    for group, made in zip(optimizer.param_groups, settings, strict=True):
        compared = [key for key in made if key not in ("params", "lr") and (key in own or of_torch)]
        others = [key for key in compared if group.get(key) != made[key]]
        if others or not isinstance(group["lr"], float) or not 0 <= group["lr"] < float("inf"):
            raise ValueError(f"{', '.join(others) or 'lr'} of the optimizer")
    if not isinstance(optimizer, (torch.optim.SGD, torch.optim.Adam)):
        return  # others keep memory of any shape
    for parameter, memory in optimizer.state.items():
        for name, value in memory.items():
            fits = not isinstance(value, torch.Tensor) or value.ndim == 0 or value.shape == parameter.shape
            if not fits:
                raise ValueError(f"{name} of the optimizer")
