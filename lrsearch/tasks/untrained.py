"""What a task's network gives before it is trained: enough to learn the shape of its outputs."""

from __future__ import annotations

import torch
from torch import Tensor

from lrsearch.tasks.data import same_random_numbers
from lrsearch.tasks.evaluation_gradients import as_evaluated
from lrsearch.tasks.task import Task


def untrained_outputs(task: Task, inputs: Tensor) -> Tensor:
    """The outputs of a fresh network, the same ones every time; leaves every random stream as it was.

    Args:
        task: Whose network.
        inputs: [rows, ...].

    Returns:
        [rows, ...], on the device of the inputs.
    """
    with same_random_numbers(), torch.no_grad():
        torch.manual_seed(0)
        model = as_evaluated(task, task.model().eval())
        parameter = next(model.parameters(), inputs)
        outputs: Tensor = model(inputs.to(parameter.device))
        return outputs.to(inputs.device)
