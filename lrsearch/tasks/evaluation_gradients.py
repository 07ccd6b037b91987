"""A network that needs gradients inside forward (a force is the slope of an energy), evaluated as others are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from lrsearch.tasks.task import Task

NO_GRADIENT = "does not require grad"
"""What torch says where gradients are taken and none were kept."""
WAY_OUT = "a model that needs gradients inside forward says Task(evaluation_gradients=True)"


class _WithGradients(nn.Module):
    """Forward passes keep gradients, whatever is around them; outputs are cut off from them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Any, **named: Any) -> Any:
        with torch.enable_grad():
            outputs = self.model(*inputs, **named)
        return _detached(outputs)


def as_evaluated(task: Task, model: nn.Module) -> nn.Module:
    """The network for evaluation, which is done without gradients unless the task says otherwise.

    Args:
        task: Whose network it is.
        model: The network.
    """
    return _WithGradients(model) if task.evaluation_gradients else model


def _detached(outputs: Any) -> Any:
    if isinstance(outputs, Tensor):
        return outputs.detach()
    if isinstance(outputs, dict):
        return {name: _detached(part) for name, part in outputs.items()}
    if isinstance(outputs, (tuple, list)):
        parts = [_detached(part) for part in outputs]
        return type(outputs)(*parts) if hasattr(outputs, "_fields") else type(outputs)(parts)
    return outputs
