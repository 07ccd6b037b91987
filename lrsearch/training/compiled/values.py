"""A tensor of one lane in generated code: what stands at an index, as C++ that speaks of all lanes of a block."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

Index = tuple[str, ...]
"""For each axis of a lane's tensor a C++ expression, such as ``3`` or ``i0``."""
Shape = tuple[int, ...]

KINDS = {
    torch.float32: "F", torch.float64: "D", torch.bool: "B",
    torch.int64: "I", torch.int32: "I", torch.int16: "I", torch.int8: "I", torch.uint8: "I",
}  # fmt: skip
"""Which vector of the prelude holds numbers of a type."""
IN_MEMORY = {
    torch.float32: "float", torch.float64: "double", torch.bool: "bool", torch.int64: "int64_t",
    torch.int32: "int32_t", torch.int16: "int16_t", torch.int8: "int8_t", torch.uint8: "uint8_t",
}  # fmt: skip
"""How C++ calls the type of numbers that torch has written."""


class NotCompiledError(Exception):
    """The network does something that has no rule here; the message says what, as the end of a sentence."""


@dataclass(frozen=True)
class Value:
    """A tensor of one lane.

    Attributes:
        shape: Its axes, without one for lanes.
        kind: Which vector of the prelude holds a number of all lanes.
        at: What stands at an index.
        buffer: The array that holds it, number after number; empty where it is computed when it is read.
    """

    shape: Shape
    kind: str
    at: Callable[[Index], str]
    buffer: str = ""

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    def as_kind(self, kind: str) -> Value:
        """The same numbers in another vector.

        Args:
            kind: Which.
        """
        return self if kind == self.kind else Value(self.shape, kind, lambda index: f"to_{kind}({self.at(index)})")

    def expanded(self, shape: Shape) -> Value:
        """Repeated along axes that it lacks, or has one number of.

        Args:
            shape: Of the result.
        """
        if shape == self.shape:
            return self
        lacking = len(shape) - len(self.shape)

        def at(index: Index) -> str:
            own = index[lacking:]
            return self.at(tuple("0" if size == 1 else place for place, size in zip(own, self.shape, strict=True)))

        return Value(shape, self.kind, at)

    def reshaped(self, shape: Shape) -> Value:
        """The same numbers in the same order along other axes.

        Args:
            shape: Of the result.
        """
        if shape == self.shape:
            return self
        return Value(shape, self.kind, lambda index: self.at(regrouped(index, shape, self.shape)))


def constant(number: float, shape: Shape, kind: str) -> Value:
    """One number everywhere.

    Args:
        number: Which.
        shape: Of the result.
        kind: Which vector holds it.
    """
    return Value(shape, kind, lambda _: written(number, kind))


def written(number: float, kind: str) -> str:
    """A number for all lanes, to its last bit.

    Args:
        number: Which.
        kind: Which vector holds it.
    """
    if kind in "IB":
        return f"splat<{kind}>(int64_t({int(number)}))" if kind == "I" else f"splat<B>({-int(bool(number))})"
    plain = {"F": "float", "D": "double"}[kind]
    if math.isnan(number):
        return f"splat<{kind}>({plain}(NAN))"
    if math.isinf(number):
        return f"splat<{kind}>({plain}({'-' if number < 0 else ''}INFINITY))"
    return f"splat<{kind}>({plain}({float(number).hex()}))"


def linear(index: Index, shape: Shape) -> str:
    """Where a number stands in an array that holds all of them in order.

    Args:
        index: Of the number.
        shape: Of the tensor.
    """
    fixed, stride, moving = 0, 1, []
    for place, size in zip(reversed(index), reversed(shape), strict=True):
        if place.lstrip("-").isdigit():
            fixed += int(place) * stride
        else:
            moving.append(place if stride == 1 else f"{stride} * ({place})")
        stride *= size
    terms = [*moving, str(fixed)] if fixed or not moving else moving
    return " + ".join(terms)


def regrouped(index: Index, shape: Shape, into: Shape) -> Index:
    """The index of the same number where the same numbers have other axes.

    Args:
        index: Along `shape`.
        shape: The axes that the index speaks of.
        into: The other axes.
    """
    found: list[str] = []
    one, other = 0, 0
    while other < len(into) or one < len(shape):
        first, begin = one, other
        mine, its = 1, 1
        while True:  # the fewest axes on either side that hold equally many numbers
            if mine <= its and one < len(shape):
                mine *= shape[one]
                one += 1
            elif other < len(into):
                its *= into[other]
                other += 1
            else:
                mine *= shape[one]
                one += 1
            if mine == its and (other > begin or other == len(into)) and (one > first or one == len(shape)):
                break
        found += _split(linear(index[first:one], shape[first:one]), into[begin:other])
    return tuple(found)


def _split(place: str, shape: Shape) -> Sequence[str]:
    """Places along axes, from the place among all of their numbers."""
    wide = [axis for axis, size in enumerate(shape) if size > 1]
    found = ["0"] * len(shape)
    left = 1
    for axis in reversed(wide):
        cut = place if left == 1 else f"({place}) / {left}"
        found[axis] = cut if axis == wide[0] else f"({cut}) % {shape[axis]}"
        left *= shape[axis]
    if place.isdigit():
        found = [str(int(place) // math.prod(shape[axis + 1 :]) % size) for axis, size in enumerate(shape)]
    return found
