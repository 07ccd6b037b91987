"""Does a run that was saved go on as if it had not been? Tried out on a few rows, to the last bit."""

from __future__ import annotations

from dataclasses import replace

import torch

from lrsearch.schedules.classical import Constant
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.attempt import attempt
from lrsearch.tasks.data import count, first
from lrsearch.tasks.task import Task
from lrsearch.training.checkpoint import resumed, state_of
from lrsearch.training.devices import moved
from lrsearch.training.loop import start, train
from lrsearch.training.run import Before, Run

BATCHES = 3
LR = 1e-3
KEPT_ELSEWHERE = "it keeps something outside its state_dict, or draws random numbers that are not torch's"
"""Why a run may go on differently."""


def is_resumable(task: Task, training: TrainingSection, device: torch.device) -> bool:
    """Whether all that a network's training depends on is in what a checkpoint keeps.

    A network that counts its own steps in a Python attribute is not so, nor are rows that draw from numpy.

    Args:
        task: What is trained.
        training: Batch size and optimizer.
        device: Where.

    Returns:
        False also where the task fails on so few rows; training it says why.
    """
    return bool(attempt(lambda: _goes_on(_part(moved(task, device), training), training), "saving and going on"))


def _goes_on(task: Task, training: TrainingSection) -> bool:
    # Where runs may be saved within an epoch, this one is.
    every = None if training.evaluate_every is None else 1
    section = training.model_copy(update={"epochs": 2, "loader_workers": 0, "evaluate_every": every})

    def begin(before: Before | None = None) -> Run:
        return start(task, Constant(), LR, section, training.seeds[0], before)

    run = begin()
    list(train(run, 1))
    other = resumed(state_of(run), begin)
    for each in (run, other):
        list(train(each))
    return _is_same(run, other)


def _is_same(run: Run, other: Run) -> bool:
    one, two = (each.model.state_dict() for each in (run, other))
    if one.keys() != two.keys():
        return False
    losses = [(each.records[-1].train_metric, each.records[-1].test_metric) for each in (run, other)]
    # Compared as text, in which NaN is NaN.
    return str(losses[0]) == str(losses[1]) and all(_equal(one[name], two[name]) for name in one)


def _equal(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(one.nan_to_num(), other.nan_to_num())
    return repr(one) == repr(other)


def _part(task: Task, training: TrainingSection) -> Task:
    # The last batch of an epoch is often a short one, and some models fail on it alone.
    few = min(task.train_rows, BATCHES * training.batch_size + task.train_rows % training.batch_size)
    return replace(task, train=first(task.train, few), test=first(task.test, min(count(task.test), few)), details={})
