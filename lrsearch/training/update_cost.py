"""What an update of a network takes, reckoned from its arithmetic: no clock, so that a busy minute decides nothing."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.flop_counter import flop_registry

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import first_batch, same_random_numbers
from lrsearch.tasks.task import Task
from lrsearch.training.eager_mode import EagerMode

BARE = 3e-5
"""Seconds of an update of the tutorial's network, in a large batch of networks: nearly no arithmetic."""
SPEED = 7e9
"""Operations a second of matrix products and convolutions, as small as such networks have them
(`tests/benchmarks/README.md`)."""


def update_seconds(task: Task, training: TrainingSection) -> float:
    """Seconds that an update of one network in a batch of networks is reckoned to take.

    ``BARE + n / SPEED``, where n are the floating-point operations of matrix products and convolutions.

    Args:
        task: It can be trained.
        training: Batch size.
    """
    return BARE + operations(task, training) / SPEED


def operations(task: Task, training: TrainingSection) -> int:
    """Floating-point operations of the matrix products and convolutions of an update, forward and backward.

    Args:
        task: It can be trained.
        training: Batch size.
    """
    inputs, targets = first_batch(task.train, training.batch_size)
    with same_random_numbers():
        torch.manual_seed(0)
        model = task.model().train()
        with _Counting() as counting:
            task.loss_function(task.call(model, inputs), targets).backward()  # type: ignore[no-untyped-call]
    found: int = counting.operations
    return found


class _Counting(EagerMode):  # type: ignore[no-untyped-call]
    """Counts by torch's own formulas. torch's `FlopCounterMode` imports its compiler, which takes a second."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        found = func(*args, **given)
        rule = flop_registry.get(func._overloadpacket)
        if rule is not None:
            self.operations += int(rule(*args, **given, out_val=found))
        return found
