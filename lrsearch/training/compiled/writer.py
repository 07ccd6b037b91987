"""C++ statements that fill arrays, and one piece of memory for all of them.

Arrays that nobody reads any more make room in it for later ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lrsearch.training.compiled.values import Index, Shape, Value, linear

BYTES = {"F": 4, "B": 4, "D": 8, "I": 8}
"""Of one lane's number in each vector."""


@dataclass(frozen=True)
class _Statement:
    text: str
    writes: str
    reads: frozenset[str]


@dataclass(frozen=True)
class _Array:
    kind: str
    size: int


class Writer:
    """Takes statements one after the other.

    Args:
        lanes: In a block.
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self._statements: list[_Statement] = []
        self._arrays: dict[str, _Array] = {}
        self._reads: set[str] = set()
        self._constants: list[str] = []

    def constant(self, kind: str, numbers: str) -> str:
        """An array of numbers that are the same for all lanes; its name.

        Args:
            kind: Which vector holds one of them for all lanes.
            numbers: C++, separated by commas.
        """
        name, plain = f"c{len(self._constants)}", {"F": "float", "D": "double", "I": "int64_t", "B": "int32_t"}[kind]
        self._constants.append(f"static const {plain} {name}[] = {{{numbers}}};")
        return name

    def given(self, name: str, shape: Shape, kind: str, *, same: bool = False) -> Value:
        """A tensor that lies in an array which the source has already.

        Args:
            name: Of the array.
            shape: Of the tensor.
            kind: Which vector holds a number.
            same: Whether all lanes have the same numbers, so that the array holds them once.
        """

        def at(index: Index) -> str:
            self._reads.add(name)
            place = f"{name}[{linear(index, shape)}]"
            if not same:
                return place
            return f"splat<B>(-int32_t({place}))" if kind == "B" else f"splat<{kind}>({place})"

        return Value(shape, kind, at, "" if same else name)

    def array(self, shape: Shape, kind: str) -> Value:
        """A new array for a tensor, to be written by the next statement.

        Args:
            shape: Of the tensor.
            kind: Which vector holds a number.
        """
        name = f"t{len(self._arrays)}"
        value = self.given(name, shape, kind)
        self._arrays[name] = _Array(kind, value.size)
        return value

    def write(self, target: Value, text: str) -> None:
        """A statement.

        Args:
            target: What it fills, or changes.
            text: C++; what it reads has been asked for since the last statement.
        """
        self._statements.append(_Statement(text, target.buffer, frozenset(self._reads)))
        self._reads.clear()

    def stored(self, value: Value) -> Value:
        """The tensor in an array: itself if it lies in one.

        Args:
            value: The tensor.
        """
        if value.buffer:
            return value
        target = self.array(value.shape, value.kind)
        begin, index, end = loops(value.shape)
        self.write(target, f"{begin}{target.at(index)} = {value.at(index)};{end}")
        return target

    def whole(self) -> tuple[str, int]:
        """All statements, and the bytes of the memory ``arena`` that their arrays take."""
        last = {name: place for place, own in enumerate(self._statements) for name in (*own.reads, own.writes)}
        free: list[tuple[int, int]] = []
        lines, begun, end, live = [], set(), 0, dict[str, tuple[int, int]]()
        for place, own in enumerate(self._statements):
            name = own.writes
            if name in self._arrays and name not in begun:
                begun.add(name)
                array = self._arrays[name]
                need = -(-array.size * BYTES[array.kind] * self.lanes // 64) * 64
                live[name] = hole = _fitting(free, need) or (end, need)
                end = max(end, hole[0] + hole[1])
                lines.append(f"{array.kind}* const {name} = ({array.kind}*)(arena + {hole[0]});")
            lines.append(own.text)
            for gone in [name for name in live if last[name] == place]:
                free.append(live.pop(gone))
        return "\n".join([*self._constants, *lines]), end


def _fitting(free: list[tuple[int, int]], need: int) -> tuple[int, int] | None:
    """The smallest hole that is large enough; it is free no more, what is left of it is."""
    fits = [hole for hole in free if hole[1] >= need]
    if not fits:
        return None
    hole = min(fits, key=lambda own: own[1])
    free.remove(hole)
    if hole[1] > need:
        free.append((hole[0] + need, hole[1] - need))
    return hole[0], need


def loops(shape: Sequence[int], name: str = "i") -> tuple[str, Index, str]:
    """Loops over all numbers of a tensor: how they begin, the index within, how they end.

    Args:
        shape: Of the tensor.
        name: What the counters' names begin with.
    """
    index = tuple("0" if size == 1 else f"{name}{axis}" for axis, size in enumerate(shape))
    counted = [(place, size) for place, size in zip(index, shape, strict=True) if size != 1]
    heads = [f"for (int64_t {place} = 0; {place} < {size}; ++{place}) " for place, size in counted]
    return "".join(heads) + "{ ", index, " }"
