"""torch's optimizers with a learning rate per lane.

All parameters of a lane that are trained are one row of a matrix [lanes, numbers], so that an update is a handful of
operations however many layers there are. Each operation is the one that torch.optim does, in its order and with its
roundings: `addcmul` rounds once, as ``add(alpha=...)`` does there.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from lrsearch.study_file.model import TrainingSection


class LaneOptimizer(Protocol):
    """Updates all lanes at once, each with its own rate."""

    def step(self, parameters: Tensor, gradients: Tensor, rates: Tensor) -> None:
        """Update in place.

        Args:
            parameters: [lanes, numbers].
            gradients: [lanes, numbers].
            rates: Learning rate of each lane, float64; [lanes, 1].
        """

    def take(self, slots: Tensor) -> None:
        """Go on with these lanes only.

        Args:
            slots: Positions of lanes, [new lanes].
        """


class LaneSGD:
    """`torch.optim.SGD`: momentum, Nesterov's form of it, and an L2 penalty.

    Args:
        training: The section that has its settings.
    """

    def __init__(self, training: TrainingSection) -> None:
        self.momentum = training.momentum
        self.nesterov = training.nesterov
        self.weight_decay = training.weight_decay
        self.velocity: Tensor | None = None

    def step(self, parameters: Tensor, gradients: Tensor, rates: Tensor) -> None:
        """See `LaneOptimizer.step`."""
        if self.weight_decay:
            gradients = gradients.add(parameters, alpha=self.weight_decay)
        if self.momentum:
            if self.velocity is None:
                self.velocity = gradients.clone()
            else:
                self.velocity.mul_(self.momentum).add_(gradients)
            gradients = gradients.add(self.velocity, alpha=self.momentum) if self.nesterov else self.velocity
        parameters.addcmul_(gradients, (-rates).to(parameters.dtype))

    def take(self, slots: Tensor) -> None:
        """See `LaneOptimizer.take`."""
        if self.velocity is not None:
            self.velocity = self.velocity[slots]


class LaneAdam:
    """`torch.optim.Adam` (an L2 penalty) and `torch.optim.AdamW` (weights decay by themselves).

    Args:
        training: The section that has its settings.
    """

    def __init__(self, training: TrainingSection) -> None:
        self.beta1, self.beta2 = training.betas
        self.eps = training.eps
        self.weight_decay = training.weight_decay
        self.decoupled = training.optimizer == "adamw"
        self.steps = 0
        self.mean: Tensor | None = None
        self.square: Tensor | None = None

    def step(self, parameters: Tensor, gradients: Tensor, rates: Tensor) -> None:
        """See `LaneOptimizer.step`."""
        if self.mean is None or self.square is None:
            self.mean, self.square = torch.zeros_like(parameters), torch.zeros_like(parameters)
        self.steps += 1
        if self.weight_decay and self.decoupled:
            parameters.mul_((1 - rates * self.weight_decay).to(parameters.dtype))
        elif self.weight_decay:
            gradients = gradients.add(parameters, alpha=self.weight_decay)
        self.mean.lerp_(gradients, 1 - self.beta1)
        self.square.mul_(self.beta2).addcmul_(gradients, gradients, value=1 - self.beta2)
        # In float64, as torch.optim computes what it hands to its tensors as numbers.
        step_size = rates / (1 - self.beta1**self.steps)
        spread = (self.square.sqrt() / (1 - self.beta2**self.steps) ** 0.5).add_(self.eps)
        parameters.addcdiv_(self.mean * (-step_size).to(parameters.dtype), spread)

    def take(self, slots: Tensor) -> None:
        """See `LaneOptimizer.take`."""
        if self.mean is not None and self.square is not None:
            self.mean, self.square = self.mean[slots], self.square[slots]


def build(training: TrainingSection) -> LaneOptimizer:
    """The optimizer that a study file names.

    Args:
        training: The section that names it and its settings.
    """
    return LaneSGD(training) if training.optimizer == "sgd" else LaneAdam(training)
