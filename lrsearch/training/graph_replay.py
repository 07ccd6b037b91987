"""Replay the operations that a function of tensors came down to, instead of its Python.

Calling modules, `vmap` and autograd takes more time than the arithmetic of many small networks does. After enough calls
with the same shapes their operations are recorded once, by `make_fx` of torch.fx, and from then on only these are done:
the same ones in the same order, so the same bits, which the first replay is checked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as trees

from lrsearch.tasks.attempt import attempt

Function = Callable[..., Any]
"""Takes and returns tensors, in tuples and dicts. It changes none that it is given and draws no random numbers."""

RECORD_AFTER = 64
"""Calls before a function is recorded: recording takes about as long as so many replays save."""


class Recordings:
    """What was recorded of the functions of one task, while its batches come and go.

    Args:
        after: Calls before a function is recorded.
    """

    def __init__(self, after: int = RECORD_AFTER) -> None:
        self._after = after
        self._calls: dict[Hashable, int] = {}
        self._replays: dict[Hashable, Function | None] = {}

    def call(self, key: Hashable, function: Function, *arguments: Any) -> Any:
        """The function's result.

        Args:
            key: Calls with the same key do the same operations on tensors of the same shapes.
            function: What to call, or to replay.
            arguments: Its arguments.
        """
        replay = self._replays.get(key)
        if replay is not None:
            with torch.no_grad():
                return replay(*arguments)
        result = function(*arguments)
        calls = self._calls[key] = self._calls.get(key, 0) + 1
        if calls >= self._after and key not in self._replays:
            self._replays[key] = _recorded(function, arguments, result)
        return result

    def is_replayed(self, key: Hashable) -> bool:
        """Whether the next call with a key is a replay.

        Args:
            key: Of `call`.
        """
        return self._replays.get(key) is not None


def _recorded(function: Function, arguments: tuple[Any, ...], result: Any) -> Function | None:
    """The function's operations; None where they cannot be recorded, or do not give the same bits."""

    def traced() -> tuple[Function, Any]:
        replay = make_fx(lambda *given: function(*given))(*arguments)  # of a method it would count `self`
        with torch.no_grad():
            return replay, replay(*arguments)

    found = attempt(traced, "recording a person's module")  # then it is called as before
    return found[0] if found is not None and _same(result, found[1]) else None


def _same(one: Any, other: Any) -> bool:
    """Whether all tensors are the same to the last bit; what is not a number equals itself."""
    pairs = zip(trees.tree_leaves(one), trees.tree_leaves(other), strict=True)
    return all(_same_tensor(mine, its) for mine, its in pairs)


def _same_tensor(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and bool(((one == other) | (one.isnan() & other.isnan())).all())
