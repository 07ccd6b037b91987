"""Operations that only say where numbers stand: axes exchanged, split, cut, joined, padded, looked up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lrsearch.training.compiled.rules import ATEN, Given, rule
from lrsearch.training.compiled.values import Index, NotCompiledError, Value, constant, linear
from lrsearch.training.compiled.writer import loops


@rule(ATEN.view.default, ATEN._unsafe_view.default, ATEN.reshape.default, ATEN.squeeze.dim, ATEN.squeeze.dims,
      ATEN.squeeze.default, ATEN.unsqueeze.default, is_view=True)  # fmt: skip
def reshape(given: Given, value: Value, *_: Any) -> Value:
    """The same numbers in the same order."""
    return value.reshaped(given.shape)


@rule(ATEN.expand.default, is_view=True)
def expand(given: Given, value: Value, *_: Any, **__: Any) -> Value:
    """Repeated."""
    return value.expanded(given.shape)


@rule(ATEN.repeat.default, is_view=True)
def repeat(given: Given, value: Value, _: Sequence[int]) -> Value:
    """Several times along each axis."""
    lacking = len(given.shape) - len(value.shape)

    def at(index: Index) -> str:
        own = zip(index[lacking:], value.shape, strict=True)
        return value.at(tuple("0" if size == 1 else f"({place}) % {size}" for place, size in own))

    return Value(given.shape, value.kind, at)


@rule(ATEN.permute.default, is_view=True)
def permute(given: Given, value: Value, order: Sequence[int]) -> Value:
    """Axes in another order."""
    axes = [axis % len(order) for axis in order]
    where = [axes.index(axis) for axis in range(len(axes))]
    return Value(given.shape, value.kind, lambda index: value.at(tuple(index[place] for place in where)))


@rule(ATEN.t.default, is_view=True)
def t(given: Given, value: Value) -> Value:
    """Two axes exchanged."""
    return permute(given, value, [1, 0]) if len(value.shape) == 2 else value


@rule(ATEN.transpose.int, is_view=True)
def transpose(given: Given, value: Value, one: int, other: int) -> Value:
    """Two axes exchanged."""
    order = list(range(len(value.shape)))
    order[one], order[other] = order[other], order[one]
    return permute(given, value, order)


def _shifted(value: Value, shape: Sequence[int], axis: int, begin: int, step: int = 1) -> Value:
    """A part along an axis."""

    def at(index: Index) -> str:
        place = index[axis]
        if place.isdigit():
            moved = str(int(place) * step + begin)
        else:
            moved = f"{begin} + {step} * ({place})" if step != 1 else f"{begin} + {place}" if begin else place
        return value.at((*index[:axis], moved, *index[axis + 1 :]))

    return Value(tuple(shape), value.kind, at)


@rule(ATEN.slice.Tensor, is_view=True)
def cut(given: Given, value: Value, axis: int = 0, start: int | None = None, end: int | None = None,
        step: int = 1) -> Value:  # fmt: skip
    """A part along an axis."""
    begin = slice(start, end, step).indices(value.shape[axis])[0]
    return _shifted(value, given.shape, axis % len(value.shape), begin, step)


@rule(ATEN.select.int, is_view=True)
def select(given: Given, value: Value, axis: int, place: int) -> Value:
    """One place along an axis."""
    axis, place = axis % len(value.shape), place % value.shape[axis]
    return Value(given.shape, value.kind, lambda index: value.at((*index[:axis], str(place), *index[axis:])))


@rule(ATEN.split_with_sizes.default, ATEN.split.Tensor, is_view=True)
def split(given: Given, value: Value, sizes: Any, axis: int = 0) -> list[Value]:  # noqa: ARG001
    """Parts along an axis."""
    parts, begin = [], 0
    axis %= len(value.shape)
    for like in given.like:
        parts.append(_shifted(value, like.shape, axis, begin))
        begin += like.shape[axis]
    return parts


@rule(ATEN.unbind.int, is_view=True)
def unbind(given: Given, value: Value, axis: int = 0) -> list[Value]:
    """Every place along an axis."""
    return [select(Given(given.writer, like), value, axis, place) for place, like in enumerate(given.like)]


@rule(ATEN.cat.default)
def cat(given: Given, values: Sequence[Value], axis: int = 0) -> Value:
    """Parts one after the other."""
    target = given.writer.array(given.shape, given.kind)
    axis, begin = axis % len(given.shape), 0
    for value in values:
        if value.shape == (0,):  # torch's old way to say nothing
            continue
        head, index, tail = loops(value.shape)
        there = _shifted(target, value.shape, axis, begin)
        given.writer.write(target, f"{head}{there.at(index)} = {value.as_kind(given.kind).at(index)};{tail}")
        begin += value.shape[axis]
    return target


@rule(ATEN.stack.default)
def stack(given: Given, values: Sequence[Value], axis: int = 0) -> Value:
    """Parts along a new axis."""
    axis %= len(given.shape)
    wide = [value.reshaped((*value.shape[:axis], 1, *value.shape[axis:])) for value in values]
    return cat(given, wide, axis)


@rule(ATEN.slice_scatter.default)
def slice_scatter(given: Given, value: Value, part: Value, axis: int = 0, start: int | None = None,
                  end: int | None = None, step: int = 1) -> Value:  # fmt: skip
    """A part along an axis exchanged."""
    first, last, step = slice(start, end, step).indices(value.shape[axis])
    axis %= len(value.shape)

    def at(index: Index) -> str:
        place = index[axis]
        inside = (*index[:axis], f"(({place}) - {first}) / {step}", *index[axis + 1 :])
        within = f"({place}) >= {first} && ({place}) < {last} && (({place}) - {first}) % {step} == 0"
        return f"({within} ? {part.as_kind(given.kind).at(inside)} : {value.at(index)})"

    return Value(given.shape, given.kind, at)


@rule(ATEN.select_scatter.default)
def select_scatter(given: Given, value: Value, part: Value, axis: int, place: int) -> Value:
    """One place along an axis exchanged."""
    axis, place = axis % len(value.shape), place % value.shape[axis]

    def at(index: Index) -> str:
        inside = part.as_kind(given.kind).at((*index[:axis], *index[axis + 1 :]))
        return f"(({index[axis]}) == {place} ? {inside} : {value.at(index)})"

    return Value(given.shape, given.kind, at)


@rule(ATEN.constant_pad_nd.default)
def pad(given: Given, value: Value, sizes: Sequence[int], number: float = 0) -> Value:
    """Numbers around; a negative size cuts."""
    lacking = len(value.shape) - len(sizes) // 2
    before = [0] * lacking + [sizes[2 * axis] for axis in reversed(range(len(sizes) // 2))]
    target = given.writer.array(given.shape, given.kind)
    head, index, tail = loops(given.shape)
    inside = tuple(f"({place}) - {own}" if own else place for place, own in zip(index, before, strict=True))
    within = " && ".join(f"{place} >= 0 && {place} < {size}" for place, size in zip(inside, value.shape, strict=True))
    filling = f"to_{given.kind}(splat<D>({float(number)!r}))"
    text = f"if ({within}) {target.at(index)} = {value.at(inside)}; else {target.at(index)} = {filling};"
    given.writer.write(target, f"{head}{text}{tail}")
    return target


@rule(ATEN.index.Tensor, repeats=True)
def chosen(given: Given, value: Value, places: Sequence[Value | None]) -> Value:
    """Numbers looked up along one axis."""
    axes = [axis for axis, place in enumerate(places) if place is not None]
    if len(axes) != 1:
        raise NotCompiledError("looks numbers up along several axes at once")
    axis = axes[0]
    which = places[axis]
    assert which is not None
    if which.kind == "B":
        raise NotCompiledError("makes a tensor whose shape depends on values (a boolean mask)")
    whole, width = given.writer.stored(value), len(which.shape)

    def at(index: Index) -> str:
        outer, inner = index[:axis], index[axis + width :]
        return _looked_up(whole, axis, (*outer, "0", *inner), which.as_kind("I").at(index[axis : axis + width]))

    return Value(given.shape, value.kind, at)


@rule(ATEN.index_select.default, repeats=True)
def index_select(given: Given, value: Value, axis: int, which: Value) -> Value:
    """Numbers looked up along one axis."""
    return chosen(given, value, [None] * (axis % len(value.shape)) + [which])


@rule(ATEN.embedding.default, repeats=True)
def embedding(given: Given, weights: Value, which: Value, *_: Any) -> Value:
    """Rows of a table."""
    return chosen(given, weights, [which])


@rule(ATEN.gather.default, repeats=True)
def gather(given: Given, value: Value, axis: int, which: Value, **_: Any) -> Value:
    """At each place a number looked up along an axis."""
    whole, axis = given.writer.stored(value), axis % len(value.shape)

    def at(index: Index) -> str:
        return _looked_up(whole, axis, (*index[:axis], "0", *index[axis + 1 :]), which.at(index))

    return Value(given.shape, value.kind, at)


def _looked_up(whole: Value, axis: int, base: Index, which: str) -> str:
    """The number at a place along an axis that differs from lane to lane."""
    size, stride = whole.shape[axis], math.prod(whole.shape[axis + 1 :])
    whole.at(base)  # it is read
    return f"chosen({whole.buffer} + {linear(base, whole.shape)}, {which}, {size}, {stride})"


@rule(ATEN.scatter.value, ATEN.scatter.src, repeats=True)
def scatter(given: Given, value: Value, axis: int, which: Value, source: Value | float) -> Value:
    """Numbers put where an index says."""
    return _put(given, value, axis, which, source, "put")


@rule(ATEN.scatter_add.default, repeats=True)
def scatter_add(given: Given, value: Value, axis: int, which: Value, source: Value) -> Value:
    """Numbers added where an index says."""
    return _put(given, value, axis, which, source, "put_more")


@rule(ATEN.index_put.default, ATEN._unsafe_index_put.default, repeats=True)
def index_put(given: Given, value: Value, places: Sequence[Value | None], source: Value,
              accumulate: bool = False) -> Value:  # fmt: skip
    """Rows put, or added, where an index says."""
    which = places[0]
    if len(places) != 1 or which is None or which.kind == "B":
        raise NotCompiledError("puts numbers where several indices say")
    width, rest = len(which.shape), given.shape[1:]
    wide = Value((*which.shape, *rest), which.kind, lambda index: which.at(index[:width])).reshaped((which.size, *rest))
    rows = source.expanded((*which.shape, *rest)).reshaped((which.size, *rest))
    return _put(given, value, 0, wide, rows, "put_more" if accumulate else "put")


def _put(given: Given, value: Value, axis: int, which: Value, source: Value | float, how: str) -> Value:
    writer, kind, axis = given.writer, given.kind, axis % len(given.shape)
    target = writer.array(given.shape, kind)
    head, index, tail = loops(given.shape)
    writer.write(target, f"{head}{target.at(index)} = {value.as_kind(kind).at(index)};{tail}")
    part = source.as_kind(kind) if isinstance(source, Value) else constant(source, which.shape, kind)
    head, index, tail = loops(which.shape)
    size, stride = given.shape[axis], math.prod(given.shape[axis + 1 :])
    begin = linear((*index[:axis], "0", *index[axis + 1 :]), given.shape)
    target.at(index)  # it is read, too
    call = f"{how}({target.buffer} + {begin}, {which.as_kind('I').at(index)}, {size}, {stride}, {part.at(index)});"
    writer.write(target, f"{head}{call}{tail}")
    return target
