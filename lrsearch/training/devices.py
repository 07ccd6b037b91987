"""A task on the device that trains it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from lrsearch.tasks.task import Task


def moved(task: Task, device: torch.device) -> Task:
    """The task with its rows on a device, and networks that are made on the CPU and then moved there.

    Initial weights are drawn on the CPU, so that they are a matter of the seed and not of the device.

    Args:
        task: What is trained.
        device: Where.
    """
    if all(part.device == device for part in (*task.train, *task.test)) and device.type == "cpu":
        return task

    def model() -> nn.Module:
        return task.model().to(device)

    return replace(
        task,
        model=model,
        train=(task.train[0].to(device), task.train[1].to(device)),
        test=(task.test[0].to(device), task.test[1].to(device)),
    )
