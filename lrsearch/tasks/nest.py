"""Nests of tensors: dicts and other mappings, tuples, lists, named tuples and dataclasses, down to tensors.

Inputs, targets and outputs may be any of them. Whatever else is inside (None, a text, a packed sequence) is left as it
is, and is taken from the first nest where several become one.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

Children = list[tuple[Any, Any]]
"""Key, field or position -> what is there."""


def children(value: Any) -> Children | None:
    """What a nest is made of, one level down; None of a tensor and of whatever else is no nest.

    Args:
        value: Anything.
    """
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, (tuple, list)) and not isinstance(value, (PackedSequence, torch.Size)):
        return list(enumerate(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(part.name, getattr(value, part.name)) for part in dataclasses.fields(value)]
    return None


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every tensor of a nest, with its path such as ``["age"]`` or ``[0].mask``; empty for a tensor that is alone.

    Args:
        value: Anything.
        path: Of the value itself.
    """
    if isinstance(value, Tensor):
        yield path, value
    is_record = not isinstance(value, (Mapping, tuple, list))
    for key, child in children(value) or ():
        yield from leaves(child, f"{path}.{key}" if is_record else f"{path}[{_quoted(key)}]")


def tensors(value: Any) -> list[Tensor]:
    """Every tensor of a nest."""
    return [tensor for _, tensor in leaves(value)]


def mapped(function: Callable[..., Any], value: Any, *others: Any) -> Any:
    """A nest of the same kind, with each tensor replaced.

    Args:
        function: What becomes of a tensor, and of those at the same place in the others.
        value: A nest.
        others: Nests of the same kind.

    Raises:
        ValueError: The nests are not of one kind.
    """
    if isinstance(value, Tensor):
        if not all(isinstance(other, Tensor) for other in others):
            raise ValueError(f"a tensor in one place, {', '.join(type(other).__name__ for other in others)} in another")
        return function(value, *others)
    own = children(value)
    if own is None:
        return value
    theirs = [children(other) for other in others]
    keys = [key for key, _ in own]
    if any(part is None or [key for key, _ in part] != keys for part in theirs):
        raise ValueError(f"one has {_shown(own)}, another {', '.join(map(_shown, theirs))}")
    columns = zip(own, *(part or () for part in theirs), strict=True)
    return _with(value, [(column[0][0], mapped(function, *(child for _, child in column))) for column in columns])


def converted(function: Callable[[Any], Tensor], value: Any) -> Any:
    """A nest of the same kind, with whatever is no nest replaced.

    Args:
        function: What becomes of a tensor, a number or anything else.
        value: A nest.
    """
    own = children(value)
    return function(value) if own is None else _with(value, [(key, converted(function, child)) for key, child in own])


def rows(value: Any) -> int | None:
    """How many rows all tensors of a nest have; None if they have not the same number, or there are none.

    Args:
        value: A nest of tensors [rows, ...]; tensors without axes do not count.
    """
    if isinstance(value, PackedSequence):
        return int(value.batch_sizes[0])
    found = {len(tensor) for tensor in tensors(value) if tensor.ndim}
    return found.pop() if len(found) == 1 else None


def taken(value: Any, numbers: Any) -> Any:
    """Some rows.

    Args:
        value: A nest of tensors [rows, ...].
        numbers: A slice, or a tensor of row numbers of any shape.
    """
    return mapped(lambda tensor: _rows_of(tensor, numbers), value)


def stacked(values: Sequence[Any]) -> Any:
    """Nests of one kind as one, with a new first axis.

    Args:
        values: At least one.

    Raises:
        ValueError: They are of several kinds.
        RuntimeError: Shapes differ.
    """
    return mapped(lambda *each: torch.stack(each), *values)


def joined(values: Sequence[Any], weights: Sequence[float], *, dim: int = 0) -> Any:
    """Nests of one kind as one, along an axis of the tensors; a number that stands alone becomes the weighted mean.

    Args:
        values: At least one.
        weights: Of each.
        dim: The axis.

    Raises:
        ValueError: They are of several kinds.
        RuntimeError: Shapes differ in another axis.
    """
    if len(values) == 1:
        return values[0]

    def of_all(*each: Tensor) -> Tensor:
        if each[0].ndim > dim:
            return torch.cat(each, dim=dim)
        shares = torch.tensor(weights, dtype=torch.float64, device=each[0].device)
        return (torch.stack(each) * shares).sum(0).div(shares.sum()).to(each[0].dtype)

    return mapped(of_all, *values)


def shapes(value: Any) -> str:
    """A nest in a few words, such as ``[4, 10]`` or ``{'age': [4], 'job': [4]}``.

    Args:
        value: Anything.
    """
    if isinstance(value, Tensor):
        return str(list(value.shape))
    if isinstance(value, PackedSequence):
        return f"packed sequences [{value.data.shape[0]} steps of {rows(value)} rows]"
    own = children(value)
    if own is None:
        return type(value).__name__
    if isinstance(value, (tuple, list)):
        return f"({', '.join(shapes(child) for _, child in own)})"
    return f"{{{', '.join(f'{_quoted(key)}: {shapes(child)}' for key, child in own)}}}"


def equal(one: Any, other: Any) -> bool:
    """Whether two nests are of one kind and hold the same numbers; a NaN equals itself here."""
    if isinstance(one, PackedSequence) and isinstance(other, PackedSequence):
        return equal(list(one)[:2], list(other)[:2])
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return _same_numbers(dense(one), dense(other))
    own, its = children(one), children(other)
    if own is None or its is None:
        return type(one) is type(other) and (one == other if isinstance(one, (str, int, float)) else True)
    pairs = zip(own, its, strict=False)
    return len(own) == len(its) and all(a == b and equal(mine, yours) for (a, mine), (b, yours) in pairs)


def is_sparse(value: Any) -> bool:
    """Whether a nest has a tensor that does not keep its zeros."""
    return any(tensor.layout != torch.strided for tensor in tensors(value))


def coordinates(tensor: Tensor) -> Tensor:
    """A sparse tensor of any layout as indices and values, in order."""
    made: Tensor = tensor.to_sparse_coo()  # type: ignore[no-untyped-call]
    return made.coalesce()


def dense(value: Any) -> Any:
    """The nest with all zeros kept."""
    return mapped(lambda tensor: tensor if tensor.layout == torch.strided else tensor.to_dense(), value)


def _same_numbers(one: Tensor, other: Tensor) -> bool:
    if torch.equal(one, other):
        return True
    if one.shape != other.shape or not (one.is_floating_point() and other.is_floating_point()):
        return False
    return torch.equal(one.isnan(), other.isnan()) and torch.equal(one.nan_to_num(), other.nan_to_num())


def _rows_of(tensor: Tensor, numbers: Any) -> Tensor:
    if tensor.layout == torch.strided:
        return tensor[numbers]
    if isinstance(numbers, slice):
        numbers = torch.arange(tensor.shape[0], device=tensor.device)[numbers]
    if tensor.layout == torch.sparse_coo:
        return tensor.index_select(0, numbers)
    # torch takes rows of no other sparse layout.
    chosen = coordinates(tensor).index_select(0, numbers)
    made: Tensor = chosen.to_sparse(layout=tensor.layout)
    return made


def _with(value: Any, parts: Children) -> Any:
    """A nest of the same kind with other children."""
    if isinstance(value, (tuple, list)):
        made = [child for _, child in parts]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    if type(value) is dict:
        return dict(parts)
    new = copy.copy(value)
    if isinstance(value, Mapping):
        for key, child in parts:
            new[key] = child
    else:
        for name, child in parts:
            object.__setattr__(new, name, child)  # a frozen one, too
    return new


def _shown(parts: Children | None) -> str:
    return "no nest" if parts is None else f"({', '.join(str(key) for key, _ in parts)})"


def _quoted(key: object) -> str:
    return f'"{key}"' if isinstance(key, str) else str(key)
