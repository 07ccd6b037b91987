"""What a task's network gives before it is trained: enough to learn the shape of its outputs."""

from __future__ import annotations

from typing import Any

import torch

from lrsearch.tasks import nest
from lrsearch.tasks.data import same_random_numbers
from lrsearch.tasks.evaluation_gradients import evaluated_call
from lrsearch.tasks.task import Task


def untrained_outputs(task: Task, inputs: Any) -> Any:
    """The outputs of a fresh network, the same ones every time; leaves every random stream as it was.

    Args:
        task: Whose network.
        inputs: [rows, ...], or a nest of such tensors.

    Returns:
        [rows, ...], or a nest of such tensors, on the device of the inputs.
    """
    with same_random_numbers(), torch.no_grad():
        torch.manual_seed(0)
        model = task.model().eval()
        own = nest.tensors(inputs)[0].device
        parameter = next(model.parameters(), None)
        place = own if parameter is None else parameter.device
        outputs = evaluated_call(task)(model, nest.mapped(lambda tensor: tensor.to(place), inputs))
        return nest.mapped(lambda tensor: tensor.to(own), outputs)
