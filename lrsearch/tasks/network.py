"""The multilayer perceptron of the built-in tasks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from lrsearch.tasks.memory_limit import check_weights

Width = Annotated[int, Field(ge=1)]
Widths = Annotated[list[Width], Field(max_length=1000)]
Activation = Literal["tanh", "relu", "sigmoid", "gelu", "elu", "leaky_relu", "silu"]
BatchNorm = Literal["none", "pre", "post"]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "silu": nn.SiLU,
}


def multilayer_perceptron(
    inputs: int, hidden: Sequence[int], outputs: int, *, activation: Activation, batch_norm: BatchNorm
) -> nn.Sequential:
    """Linear layers with an activation after each but the last.

    Args:
        inputs: Number of features.
        hidden: Width of each hidden layer.
        outputs: Number of outputs.
        activation: Name of the activation.
        batch_norm: Whether a `BatchNorm1d` stands before (pre) or after (post) each activation.

    Raises:
        InputError: Its weights would not fit into this machine's memory.
    """
    sizes = [inputs, *hidden, outputs]
    numbers = sum((wide + 1) * high for wide, high in pairwise(sizes))
    check_weights(numbers + (0 if batch_norm == "none" else 4 * sum(hidden)), hidden)
    layers: list[nn.Module] = []
    width = inputs
    for units in hidden:
        layers.append(nn.Linear(width, units))
        if batch_norm == "pre":
            layers.append(nn.BatchNorm1d(units))
        layers.append(ACTIVATIONS[activation]())
        if batch_norm == "post":
            layers.append(nn.BatchNorm1d(units))
        width = units
    return nn.Sequential(*layers, nn.Linear(width, outputs))
