"""Replay the operations that a function of tensors came down to, instead of its Python.

Calling modules, `vmap` and autograd takes more time than the arithmetic of many small networks does. After some calls
with the same shapes their operations are recorded once (`recorded_operations`), and from then on only these are done:
the same ones in the same order, so the same bits. The first two replays are checked for that, with the numbers of two
calls: what was the same in both would not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as trees

from lrsearch.tasks.attempt import attempt
from lrsearch.training.recorded_operations import recorded

Function = Callable[..., Any]
"""Takes and returns tensors, in tuples and dicts. It changes none that it is given and draws no random numbers."""

RECORD_AFTER = 16
"""Calls before a function is recorded: recording takes about as long as so many replays save."""


RECORDING = "recording a person's module"


class Recordings:
    """What was recorded of the functions of one task, while its batches come and go.

    Args:
        after: Calls before a function is recorded.
    """

    def __init__(self, after: int = RECORD_AFTER) -> None:
        self._after = after
        self._calls: dict[Hashable, int] = {}
        self._replays: dict[Hashable, Function | None] = {}
        self._checked: set[Hashable] = set()
        self._recordable: set[Hashable] = set()

    def call(self, key: Hashable, function: Function, *arguments: Any, kind: Hashable = None) -> Any:
        """The function's result.

        Args:
            key: Calls with the same key do the same operations on tensors of the same shapes.
            function: What to call, or to replay.
            arguments: Its arguments.
            kind: The key without the number of lanes. Once one number of lanes is replayed, another one is recorded at
                its first call: that it can be recorded is known, and some lanes have left for good.
        """
        replay = self._replays.get(key)
        if replay is not None and key in self._checked:
            with torch.no_grad():
                return replay(*arguments)
        result = function(*arguments)
        calls = self._calls[key] = self._calls.get(key, 0) + 1
        if replay is not None:
            self._replays[key] = _confirmed(replay, arguments, result)
            self._checked.add(key)
            if kind is not None and self._replays[key] is not None:
                self._recordable.add(kind)
        elif (calls >= self._after or kind in self._recordable) and key not in self._replays:
            self._replays[key] = _recorded(function, arguments, result)
        return result

    def is_replayed(self, key: Hashable) -> bool:
        """Whether the next call with a key is a replay.

        Args:
            key: Of `call`.
        """
        return key in self._checked and self._replays[key] is not None


def _recorded(function: Function, arguments: tuple[Any, ...], result: Any) -> Function | None:
    """The function's operations; None where they cannot be recorded, or do not give the same bits."""
    replay = attempt(partial(recorded, function, arguments), RECORDING)
    return None if replay is None else _confirmed(replay, arguments, result)


def _confirmed(replay: Function, arguments: tuple[Any, ...], result: Any) -> Function | None:
    """The replay if it gives the bits of a call."""

    def replayed() -> Any:
        with torch.no_grad():
            return replay(*arguments)

    return replay if _same(result, attempt(replayed, RECORDING)) else None


def _same(one: Any, other: Any) -> bool:
    """Whether all tensors are the same to the last bit; what is not a number equals itself."""
    mine, its = trees.tree_leaves(one), trees.tree_leaves(other)
    return len(mine) == len(its) and all(map(_same_tensor, mine, its))


def _same_tensor(one: Tensor, other: Tensor | None) -> bool:
    return (
        other is not None and one.dtype == other.dtype and bool(((one == other) | (one.isnan() & other.isnan())).all())
    )
