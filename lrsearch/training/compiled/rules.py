"""What each of torch's operations is in generated code. Other files of this folder add their rules when imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch._ops import OpOverload

from lrsearch.training.compiled.values import KINDS, NotCompiledError, Value
from lrsearch.training.compiled.writer import Writer

ATEN = torch.ops.aten


@dataclass(frozen=True)
class Given:
    """What a rule may look at beside its arguments.

    Attributes:
        writer: Takes statements.
        like: What the operation gives: a tensor of one lane, or several.
    """

    writer: Writer
    like: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """Axes of the result."""
        return tuple(self.like.shape)

    @property
    def kind(self) -> str:
        """Vector of the result."""
        return kind_of(self.like.dtype)


Rule = Callable[..., Any]
_Rule = TypeVar("_Rule", bound=Rule)


@dataclass(frozen=True)
class Operation:
    """How an operation is written.

    Attributes:
        rule: Makes the result from `Given` and the operation's arguments.
        is_view: Whether it computes nothing.
        repeats: Whether it reads a number of its arguments more than once.
    """

    rule: Rule
    is_view: bool = False
    repeats: bool = False


OPERATIONS: dict[OpOverload, Operation] = {}


def rule(*operations: OpOverload, is_view: bool = False, repeats: bool = False) -> Callable[[_Rule], _Rule]:
    """Make a function the rule of some operations.

    Args:
        operations: Which.
        is_view: See `Operation`.
        repeats: See `Operation`.
    """

    def kept(function: _Rule) -> _Rule:
        OPERATIONS.update(dict.fromkeys(operations, Operation(function, is_view, repeats)))
        return function

    return kept


def kind_of(dtype: torch.dtype) -> str:
    """Which vector holds numbers of a type.

    Args:
        dtype: Of a tensor.

    Raises:
        NotCompiledError: None does.
    """
    if dtype not in KINDS:
        raise NotCompiledError(f"computes with {str(dtype).removeprefix('torch.')}")
    return KINDS[dtype]


def common_kind(*values: Value | float) -> str:
    """The vector in which numbers of several are compared.

    Args:
        values: Tensors, and numbers without a type of their own.
    """
    kinds = [value.kind for value in values if isinstance(value, Value)]
    found = max(kinds, key="BIFD".index)
    if found in "BI" and any(isinstance(value, float) and not isinstance(value, bool) for value in values):
        return "F"
    has_number = any(isinstance(value, int) and not isinstance(value, bool) for value in values)
    return "I" if found == "B" and has_number else found
