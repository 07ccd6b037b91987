"""Each operation in compiled code gives what torch gives."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import pytest
import torch
from compiler import needs_compiler
from torch import Tensor
from torch.nn import functional

from lrsearch.training.compiled import library
from lrsearch.training.compiled.library import function_of
from lrsearch.training.compiled.one_lane import traced
from lrsearch.training.compiled.source import Layout, evaluation_source
from lrsearch.training.compiled.state import lanes_of_block

Function = Callable[[Tensor, Tensor], Tensor]
_PLACES = torch.tensor([[2, 0, 1, 3, 2, 0], [1, 1, 3, 0, 2, 2]])
_IMAGE = (2, 3, 5, 4)

FUNCTIONS: dict[str, Function] = {
    "sums along axes": lambda x, y: (x.sum(1) * y.mean(1)).sum() + x.amax(0).sum() - y.amin(1, keepdim=True).sum(),
    "variances": lambda x, y: x.var(1).sum() + torch.var_mean(y, 0, correction=0)[1].sum() + y.std(),
    "products of matrices": lambda x, y: (x @ y.t()).tanh().sum() + (x[0] @ y[1]) + (x @ y[0]).sin().sum(),
    "batches of products": lambda x, y: torch.bmm(x.view(2, 2, 6), y.view(2, 6, 2)).cos().sum(),
    "exponentials": lambda x, y: (x.exp() + y.abs().log() + x.expm1() * y.square().log1p()).sum(),
    "powers": lambda x, y: (
        x**2 + y**3 + (x * x + 1) ** 0.5 + (y * y + 1) ** -1 + (x.abs() + 1) ** y + x.abs() ** 1.7
    ).sum(),
    "roundings": lambda x, y: (x.floor() * 3 + y.ceil() + (4 * x).round() + (2 * y).trunc()).sum(),
    "activations": lambda x, y: (
        functional.gelu(x) + functional.silu(y) + functional.elu(x) + functional.softplus(y) + functional.mish(x)
        + functional.leaky_relu(x) + functional.hardtanh(y) + torch.sigmoid(x) + functional.gelu(y, approximate="tanh")
    ).sum(),
    "comparisons": lambda x, y: (
        torch.where(x > y, x, y * 2) + (x.eq(y) | (x <= 0)).float() + x.clamp(-0.3, 0.4) + torch.maximum(x, y)
        + (~(y >= 0) & (x != 0)).to(x.dtype)
    ).sum(),
    "softmax": lambda x, y: (functional.softmax(x, 1) * functional.log_softmax(y, 0)).sum(),
    "slices": lambda x, y: (x[1:, ::2] * y[:3, 1::2]).sum() + x[:, -1].sum() + y.t()[2, 1:].sum(),
    "joins": lambda x, y: (torch.cat([x, y], 1).view(8, 6) * torch.stack([x, y], 0).reshape(8, 6)).sum(),
    "rims": lambda x, y: (functional.pad(x, (1, 2, 0, 1), value=0.5)[1:, 1:7] * y).sum(),
    "looked up": lambda x, y: (x[torch.tensor([3, 0, 0, 1])] * y.gather(0, _PLACES).sum(0)).sum(),
    "put": lambda x, y: (
        torch.zeros_like(x).scatter(0, _PLACES, y[:2]) * torch.zeros_like(y).scatter_add(0, _PLACES, x[:2])
    ).sum(),
    "places": lambda x, y: (x.argmax(1) * torch.arange(4)).sum() + (y.argmax(0) == 2).sum() + 0.0 * x.sum(),
    "losses": lambda x, y: (
        functional.cross_entropy(x, torch.tensor([5, 0, 2, 2])) + functional.smooth_l1_loss(x, y)
        + functional.l1_loss(x, y) + functional.binary_cross_entropy_with_logits(x, (y > 0).to(x.dtype))
    ),
    "constants": lambda x, y: (
        x * torch.linspace(0, 1, 6, dtype=x.dtype) + y.new_full((6,), 0.5) * torch.eye(4, 6)
    ).sum(),
    "images": lambda x, y: functional.conv2d(
        x.repeat(5, 1).reshape(_IMAGE), y.repeat(2, 1).reshape(2, 3, 2, 4)[:, :, :, :3], x[0, :2],
        stride=(2, 1), padding=(1, 2), dilation=(2, 1)
    ).tanh().sum(),
    "pools": lambda x, y: (
        functional.max_pool2d(x.repeat(5, 1).reshape(_IMAGE), 2, stride=1, padding=1).tanh().sum()
        + functional.avg_pool2d(y.repeat(5, 1).reshape(_IMAGE), 2).tanh().sum()
    ),
}  # fmt: skip


def with_gradients(one: Tensor, other: Tensor) -> list[Tensor]:
    """Each function's value, and a number that its gradients come to."""
    found = []
    weights = torch.linspace(-1, 1, 24, dtype=one.dtype).view(4, 6)
    for function in FUNCTIONS.values():
        leaves = one.detach().requires_grad_(), other.detach().requires_grad_()
        value = function(*leaves).to(one.dtype)
        gradients = torch.autograd.grad(value, leaves, allow_unused=True)
        whole = [torch.zeros_like(weights) if own is None else own for own in gradients]
        found += [value.detach(), (whole[0] * weights).sum() + (whole[1] * weights.exp()).sum()]
    return found


@pytest.fixture(autouse=True)
def _compiler() -> None:
    needs_compiler()


def test_values_and_gradients_of_many_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", tuple("-O0" if flag == "-O2" else flag for flag in library.FLAGS))
    lanes = lanes_of_block()
    inputs = torch.randn(2, 2 * lanes, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    graph = traced(with_gradients, inputs[0, 0], inputs[1, 0])
    run = function_of(evaluation_source(graph, Layout([inputs[0, 0], inputs[1, 0]], [], [])))
    state = [own.reshape(2, lanes, 24).transpose(1, 2).contiguous() for own in inputs]
    results = torch.empty(2 * len(FUNCTIONS), 2 * lanes, dtype=torch.float64)
    pointers = (ctypes.c_void_p * 2)(*(own.data_ptr() for own in state))
    none, seeds = ctypes.c_void_p(None), torch.zeros(2 * lanes, dtype=torch.int64)
    at = [ctypes.c_void_p(own.data_ptr()) for own in (seeds, results)]
    numbers = [ctypes.c_int64(own) for own in (2 * lanes, 0, 2, 1)]
    assert run(pointers, at[0], *numbers, none, none, ctypes.c_int64(1), none, none, none, at[1]) == 0
    for lane in (0, 3, 2 * lanes - 1):
        expected = with_gradients(inputs[0, lane], inputs[1, lane])
        for place, value in enumerate(expected):
            name = list(FUNCTIONS)[place // 2]
            torch.testing.assert_close(
                results[place, lane], value, rtol=1e-11, atol=1e-11, msg=lambda m, n=name: f"{n}: {m}"
            )
