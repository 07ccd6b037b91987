"""A network that needs gradients inside forward (a force is the slope of an energy), evaluated as others are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from lrsearch.tasks import nest
from lrsearch.tasks.calling import Call

if TYPE_CHECKING:
    from lrsearch.tasks.task import Task

NO_GRADIENT = "does not require grad"
"""What torch says where gradients are taken and none were kept."""
WAY_OUT = "a model that needs gradients inside forward says Task(evaluation_gradients=True)"


def evaluated_call(task: Task) -> Call:
    """How the network is given its inputs where it is evaluated: without gradients, unless the task says otherwise.

    Args:
        task: Whose network it is.
    """
    return _with_gradients(task.call) if task.evaluation_gradients else task.call


def _with_gradients(call: Call) -> Call:
    """Forward passes keep gradients, whatever is around them; outputs are cut off from them."""

    def called(model: nn.Module, inputs: Any) -> Any:
        with torch.enable_grad():
            outputs = call(model, inputs)
        return nest.mapped(lambda tensor: tensor.detach(), outputs)

    return called
