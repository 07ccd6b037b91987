"""How a network is given its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn
from torch.nn.utils.rnn import PackedSequence

Call = Callable[[nn.Module, Any], Any]
"""``call(model, inputs) -> outputs``."""


def passed(model: nn.Module, inputs: Any) -> Any:
    """The outputs of a network: ``model(**inputs)`` of a mapping, ``model(*inputs)`` of a tuple or list.

    Args:
        model: The network.
        inputs: Whatever else it is, such as a tensor, a packed sequence or a dataclass, is passed whole.
    """
    if isinstance(inputs, Mapping):
        return model(**inputs)
    if isinstance(inputs, (tuple, list)) and not isinstance(inputs, PackedSequence):
        return model(*inputs)
    return model(inputs)


def in_words(inputs: Any) -> str:
    """How `passed` calls the network, for messages; empty where there is nothing to explain."""
    if isinstance(inputs, Mapping):
        return "model(**inputs)"
    if isinstance(inputs, (tuple, list)) and not isinstance(inputs, PackedSequence):
        return "model(*inputs)"
    return ""
