"""One sample of what a task gives before it is trained: a person sees whether it is what she meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lrsearch.tasks import nest
from lrsearch.tasks.data import first_batch, same_random_numbers
from lrsearch.tasks.direction import Direction
from lrsearch.tasks.task import Task

ROWS = 4
"""So many test rows go through the network."""
NUMBERS = 4
"""So many numbers are shown of each tensor."""


@dataclass(frozen=True)
class Sample:
    """What an untrained network gives for a few test rows, as text for people.

    Attributes:
        inputs: Shapes and types.
        outputs: Shapes and types, and the first numbers.
        targets: As above.
        metric: Name of the task's metric.
        direction: Which of its values are better.
        value: The metric of these rows.
        rows: How many there are.
    """

    inputs: str
    outputs: str
    targets: str
    metric: str
    direction: Direction
    value: float
    rows: int


def sample(task: Task) -> Sample:
    """Look at a task on the CPU; leaves every random stream as it was.

    Args:
        task: What would be trained.
    """
    inputs, targets = first_batch(task.test, ROWS)
    with same_random_numbers(), torch.no_grad():
        torch.manual_seed(0)
        outputs = task.call(task.model().eval(), inputs)
        value = float(task.metric_function(outputs, targets))
    return Sample(
        inputs=_described(inputs, numbers=False),
        outputs=_described(outputs),
        targets=_described(targets),
        metric=task.metric_name,
        direction=task.direction,
        value=value,
        rows=nest.rows(targets) or ROWS,
    )


def _described(value: Any, *, numbers: bool = True) -> str:
    leaves = list(nest.leaves(value))
    numbers = numbers and len(leaves) == 1  # more of them would fill the screen
    found = [f"{path} {_tensor(tensor, numbers)}".strip() for path, tensor in leaves]
    return "; ".join(found) or nest.shapes(value)


def _tensor(tensor: Tensor, numbers: bool) -> str:
    kind = f"{list(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"
    if not numbers or tensor.layout != torch.strided:
        return kind
    flat = tensor.detach().flatten()
    shown = ", ".join(f"{number:.4g}" for number in flat[:NUMBERS].tolist())
    return f"{kind}: {shown}{', ...' if len(flat) > NUMBERS else ''}"
