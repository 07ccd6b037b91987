"""What is recorded does the operations of a call, with the numbers of another one, and gives the same bits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from lrsearch.training.recorded_operations import NotRecordableError, recorded

BEFORE = torch.arange(3.0)


def gradients(weights: Tensor, rows: Tensor) -> dict[str, Any]:
    """Of three linear networks at once, as the batched engine computes them."""
    module = nn.Linear(4, 1, bias=False)
    weights = weights.detach().requires_grad_()
    losses = vmap(lambda own, seen: functional_call(module, {"weight": own}, (seen,)).square().mean())(weights, rows)
    (found,) = torch.autograd.grad(losses.sum(), weights)
    return {"losses": losses.detach(), "gradients": (found,)}


def changed_in_place(first: Tensor, second: Tensor) -> Tensor:
    """A view of a copy is changed, and the copy with it."""
    copied = first.clone()
    copied[1:].mul_(second[1:])
    return copied.add_(1) + BEFORE


def several_results(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    values, places = torch.cat([first, second]).sort()
    return values, places.split(3)[1]


def nothing_done(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return second, first, BEFORE


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (gradients, ((3, 1, 4), (3, 5, 4))),
        (changed_in_place, ((3,), (3,))),
        (several_results, ((3,), (3,))),
        (nothing_done, ((3,), (3,))),
    ],
)
def test_it_gives_the_bits_of_a_call(function: Callable[..., Any], shapes: tuple[tuple[int, ...], ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = ([torch.randn(shape, generator=generator) for shape in shapes] for _ in range(2))
    kept = [given.clone() for given in first]
    replay = recorded(function, first)
    for given in (second, first, kept):
        with torch.no_grad():
            found = replay(*given)
        torch.testing.assert_close(found, function(*given), rtol=0, atol=0)


def test_what_nobody_uses_is_not_done_again() -> None:
    calls = []

    class Counted(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
            calls.append(function)
            return function(*arguments, **(named or {}))

    def wasteful(value: Tensor) -> Tensor:
        value.exp()
        return value + 1

    given = torch.ones(2)
    replay = recorded(wasteful, [given])
    with Counted():
        replay(given)
    assert calls == [torch.ops.aten.add.Tensor]


@pytest.mark.parametrize(
    "function",
    [
        lambda value: value * 2 if value.sum() > 1 else value,
        lambda value: value[value > 0],
        lambda value: value + value.max().item(),
    ],
    ids=["a branch", "a mask", "a number"],
)
def test_what_looks_at_its_numbers_is_not_recorded(function: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(NotRecordableError):
        recorded(function, [torch.ones(3)])


def test_torchs_compiler_is_not_imported() -> None:
    """It takes longer than a small study."""
    program = (
        "import sys, torch\n"
        "from lrsearch.training.recorded_operations import recorded\n"
        "recorded(lambda value: value * 2, [torch.ones(2)])\n"
        "print([name for name in ('torch._dynamo', 'sympy') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
