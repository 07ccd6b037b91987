"""Operations of torch that are made of simpler ones: how, as torch computes them itself.

Most are in torch's own table; these are the ones that it keeps whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._decomp import core_aten_decompositions
from torch._ops import OpOverload

from lrsearch.training.compiled.rules import ATEN, OPERATIONS


def table() -> dict[Any, Callable[..., Any]]:
    """Operation -> what it is made of; nothing that has a rule."""
    whole = {**core_aten_decompositions(), **_OWN}
    return {operation: way for operation, way in whole.items() if operation not in OPERATIONS}


def gelu(value: Tensor, *, approximate: str = "none") -> Tensor:
    """See `torch.nn.functional.gelu`."""
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (value + 0.044715 * value * value * value)
        return 0.5 * value * (1 + torch.tanh(inner))
    return value * 0.5 * (1 + torch.erf(value * math.sqrt(0.5)))


def softmax(value: Tensor, dim: int, half_to_float: bool) -> Tensor:  # noqa: ARG001
    """See `torch.nn.functional.softmax`."""
    if not value.dim():
        return torch.ones_like(value)
    raised = torch.exp(value - torch.amax(value, dim, keepdim=True))
    return raised / torch.sum(raised, dim, keepdim=True)


def log_softmax(value: Tensor, dim: int, half_to_float: bool) -> Tensor:  # noqa: ARG001
    """See `torch.nn.functional.log_softmax`."""
    if not value.dim():
        return torch.zeros_like(value)
    moved = value - torch.amax(value, dim, keepdim=True)
    return moved - torch.log(torch.sum(torch.exp(moved), dim, keepdim=True))


def layer_norm(
    value: Tensor, shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """See `torch.nn.functional.layer_norm`."""
    axes = list(range(value.dim() - len(shape), value.dim()))
    variance, mean = torch.var_mean(value, axes, correction=0, keepdim=True)
    scale = torch.rsqrt(variance + eps)
    found = (value - mean) * scale
    found = found if weight is None else found * weight
    return found if bias is None else found + bias, mean, scale


def group_norm(
    value: Tensor, weight: Tensor | None, bias: Tensor | None, rows: int, channels: int, size: int, groups: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """See `torch.nn.functional.group_norm`."""
    flat = value.reshape(rows, groups, channels // groups * size)
    variance, mean = torch.var_mean(flat, [2], correction=0, keepdim=True)
    scale = torch.rsqrt(variance + eps)
    found = ((flat - mean) * scale).reshape(value.shape)
    wide = [1, channels, *[1] * (value.dim() - 2)]
    found = found if weight is None else found * weight.reshape(wide)
    found = found if bias is None else found + bias.reshape(wide)
    return found, mean.reshape(rows, groups), scale.reshape(rows, groups)


def elu(value: Tensor, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Tensor:
    """See `torch.nn.functional.elu`."""
    return torch.where(value > 0, value * scale, torch.expm1(value * input_scale) * (alpha * scale))


def leaky_relu(value: Tensor, slope: float = 0.01) -> Tensor:
    """See `torch.nn.functional.leaky_relu`."""
    return torch.where(value > 0, value, value * slope)


def hardtanh(value: Tensor, least: float = -1, most: float = 1) -> Tensor:
    """See `torch.nn.functional.hardtanh`."""
    return torch.clamp(value, least, most)


_OWN: dict[OpOverload, Callable[..., Any]] = {
    ATEN.gelu.default: gelu,
    ATEN._softmax.default: softmax,
    ATEN._log_softmax.default: log_softmax,
    ATEN.native_layer_norm.default: layer_norm,
    ATEN.native_group_norm.default: group_norm,
    ATEN.elu.default: elu,
    ATEN.leaky_relu.default: leaky_relu,
    ATEN.hardtanh.default: hardtanh,
}
