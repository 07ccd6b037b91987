"""Operations that take many numbers to one: sums, means, extremes, variances, products of matrices.

Each result has a number of its own in a register while its terms are added one after the other, and up to `TILE` times
`TILE` results are computed side by side, so that what is read once serves several of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lrsearch.training.compiled.arithmetic import pointwise
from lrsearch.training.compiled.rules import ATEN, Given, rule
from lrsearch.training.compiled.values import Index, Shape, Value, written
from lrsearch.training.compiled.writer import Writer, loops

TILE = 4
"""Results side by side along one axis: 16 in all, and the numbers that they are made of, fit into 32 registers."""


def _axes(value: Value, axes: Sequence[int] | int | None) -> list[int]:
    """The axes that go."""
    whole = range(len(value.shape))
    if axes is None or axes == []:
        return list(whole)
    given = [axes] if isinstance(axes, int) else axes
    return sorted(axis % len(value.shape) for axis in given) if value.shape else []


def _tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """Begin, end and step of loops that take an axis in tiles."""
    whole = size // TILE * TILE
    if whole:
        yield 0, whole, TILE
    if size > whole:
        yield whole, size, size - whole


def _tiled(index: Index, sizes: Shape, axes: Sequence[int]) -> Iterator[tuple[str, list[Index]]]:
    """Ways to go through results tile by tile: the heads of the loops, and the indices of the results of a tile."""
    for spans in itertools.product(*(_tiles(sizes[axis]) for axis in axes)):
        heads, places = [], []
        for axis, (begin, end, step) in zip(axes, spans, strict=True):
            name = f"o{axis}"
            single = end - begin == step
            heads.append("" if single else f"for (int64_t {name} = {begin}; {name} < {end}; {name} += {step}) ")
            places.append([str(begin + own) if single else f"{name} + {own}" if own else name for own in range(step)])
        found = []
        for chosen in itertools.product(*places):
            whole = list(index)
            for axis, place in zip(axes, chosen, strict=True):
                whole[axis] = place
            found.append(tuple(whole))
        yield "".join(heads), found


def gathered(
    writer: Writer,
    target: Value,
    start: Callable[[Index], str],
    terms: Shape,
    step: Callable[[str, Index, Index], str],
    tiled: Sequence[int],
) -> None:
    """Fill a tensor, each number of it from many terms.

    Args:
        writer: Takes the statement.
        target: What is filled.
        start: What a number begins with: C++ from its index.
        terms: Axes of the terms of one number.
        step: C++ that adds a term to an accumulator: its name, the index of the number, the index of the term.
        tiled: Axes of the target that are gone through tile by tile.
    """
    outer = tuple(1 if axis in tiled else size for axis, size in enumerate(target.shape))
    begin, index, end = loops(outer)
    inner_begin, inner, inner_end = loops(terms, "k")
    text = []
    for heads, results in _tiled(index, target.shape, tiled):
        names = [f"a{place}" for place in range(len(results))]
        made = "".join(f"{target.kind} {name} = {start(own)}; " for name, own in zip(names, results, strict=True))
        steps = " ".join(step(name, result, inner) for name, result in zip(names, results, strict=True))
        kept = " ".join(f"{target.at(result)} = {name};" for name, result in zip(names, results, strict=True))
        text.append(f"{heads}{{ {made}{inner_begin}{steps}{inner_end} {kept} }}")
    writer.write(target, begin + "\n".join(text) + end)


def _folded(given: Given, value: Value, axes: list[int], start: str, step: str, kind: str) -> Value:
    """A tensor without some of its axes, whose numbers ``step`` takes to one: it has a place for both."""
    value = value.as_kind(kind)
    left = tuple(1 if axis in axes else size for axis, size in enumerate(value.shape))
    target = given.writer.array(left, kind)
    terms = tuple(value.shape[axis] for axis in axes)

    def add(name: str, result: Index, term: Index) -> str:
        place = list(result)
        for axis, own in zip(axes, term, strict=True):
            place[axis] = own
        return f"{name} = {step.format(name, value.at(tuple(place)))};"

    wide = [axis for axis, size in enumerate(left) if size > 1]
    gathered(given.writer, target, lambda _: start, terms, add, wide[-1:])
    return target


@rule(ATEN.sum.dim_IntList, ATEN.sum.default)
def total(given: Given, value: Value, axes: Any = None, keepdim: bool = False, **_: Any) -> Value:  # noqa: ARG001
    """The sum."""
    kind = given.kind
    return _folded(given, value, _axes(value, axes), written(0, kind), "{0} + {1}", kind).reshaped(given.shape)


@rule(ATEN.mean.dim, ATEN.mean.default)
def mean(given: Given, value: Value, axes: Any = None, keepdim: bool = False, **_: Any) -> Value:
    """The sum, divided by how many there are."""
    return _divided(given, total(given, value, axes, keepdim), value, axes)


def _divided(given: Given, whole: Value, value: Value, axes: Any, less: float = 0) -> Value:
    number = math.prod(value.shape[axis] for axis in _axes(value, axes)) - less
    return given.writer.stored(pointwise(given.shape, given.kind, given.kind, "({0} / {1})", whole, number))


@rule(ATEN.amax.default, ATEN.max.default)
def amax(given: Given, value: Value, axes: Any = None, keepdim: bool = False) -> Value:  # noqa: ARG001
    """The largest."""
    start = written(-math.inf, given.kind) if given.kind in "FD" else written(-(2**62), "I")
    return _folded(given, value, _axes(value, axes), start, "largest({0}, {1})", given.kind).reshaped(given.shape)


@rule(ATEN.amin.default, ATEN.min.default)
def amin(given: Given, value: Value, axes: Any = None, keepdim: bool = False) -> Value:  # noqa: ARG001
    """The smallest."""
    start = written(math.inf, given.kind) if given.kind in "FD" else written(2**62, "I")
    return _folded(given, value, _axes(value, axes), start, "smallest({0}, {1})", given.kind).reshaped(given.shape)


@rule(ATEN.any.default, ATEN.any.dim, ATEN.any.dims)
def any_of(given: Given, value: Value, axes: Any = None, keepdim: bool = False) -> Value:  # noqa: ARG001
    """Whether one holds."""
    return _folded(given, value, _axes(value, axes), written(0, "B"), "({0} | {1})", "B").reshaped(given.shape)


@rule(ATEN.all.default, ATEN.all.dim, ATEN.all.dims)
def all_of(given: Given, value: Value, axes: Any = None, keepdim: bool = False) -> Value:  # noqa: ARG001
    """Whether all hold."""
    return _folded(given, value, _axes(value, axes), written(1, "B"), "({0} & {1})", "B").reshaped(given.shape)


@rule(ATEN.argmax.default, repeats=True)
def argmax(given: Given, value: Value, axis: int | None = None, keepdim: bool = False) -> Value:  # noqa: ARG001
    """Where the largest is; of several the first."""
    whole = value if axis is not None else value.reshaped((value.size,))
    axis = (axis or 0) % len(whole.shape)
    whole = given.writer.stored(whole)
    target = given.writer.array(tuple(1 if own == axis else size for own, size in enumerate(whole.shape)), "I")
    begin, index, end = loops(target.shape)
    number = whole.at((*index[:axis], "k", *index[axis + 1 :]))
    kind, size = whole.kind, whole.shape[axis]
    text = (
        f"{kind} best = {whole.at((*index[:axis], '0', *index[axis + 1 :]))}; I place = splat<I>(int64_t(0)); "
        f"for (int64_t k = 1; k < {size}; ++k) {{ {kind} own = {number}; "
        "B better = gt(own, best) | (ne(own, own) & eq(best, best)); "
        "best = where(better, own, best); place = where(better, splat<I>(k), place); } "
        f"{target.at(index)} = place;"
    )
    given.writer.write(target, begin + text + end)
    return target.reshaped(given.shape)


@rule(ATEN.var.correction, repeats=True)
def var(given: Given, value: Value, axes: Any = None, correction: float | None = 1, **_: Any) -> Value:
    """The mean square of what is left when the mean is taken away."""
    return _variance(given, value, axes, 1 if correction is None else correction)[0].reshaped(given.shape)


@rule(ATEN.var_mean.correction, repeats=True)
def var_mean(given: Given, value: Value, axes: Any = None, correction: float | None = 1, **_: Any) -> list[Value]:
    """The variance and the mean."""
    one = Given(given.writer, given.like[0])
    return [part.reshaped(one.shape) for part in _variance(one, value, axes, 1 if correction is None else correction)]


def _variance(given: Given, value: Value, axes: Any, less: float) -> tuple[Value, Value]:
    gone, kind = _axes(value, axes), given.kind
    left = tuple(1 if axis in gone else size for axis, size in enumerate(value.shape))
    number = math.prod(value.shape[axis] for axis in gone)
    whole = _folded(given, value, gone, written(0, kind), "{0} + {1}", kind)
    middle = given.writer.stored(pointwise(left, kind, kind, "({0} / {1})", whole, number))
    away = pointwise(value.shape, kind, kind, "({0} - {1})", value, middle)
    square = Value(value.shape, kind, lambda index: f"squared({away.at(index)})")
    spread = _folded(given, square, gone, written(0, kind), "{0} + {1}", kind)
    return given.writer.stored(pointwise(left, kind, kind, "({0} / {1})", spread, max(number - less, 0))), middle


@rule(ATEN.mm.default, repeats=True)
def mm(given: Given, one: Value, other: Value) -> Value:
    """A product of matrices."""
    return _product(given, one, other)


@rule(ATEN.bmm.default, repeats=True)
def bmm(given: Given, one: Value, other: Value) -> Value:
    """Products of matrices."""
    return _product(given, one, other)


@rule(ATEN.mv.default, repeats=True)
def mv(given: Given, one: Value, other: Value) -> Value:
    """A product of a matrix and a vector."""
    column = other.reshaped((*other.shape, 1))
    return _product(given, one, column, (*given.shape, 1)).reshaped(given.shape)


@rule(ATEN.dot.default)
def dot(given: Given, one: Value, other: Value) -> Value:
    """A product of vectors."""
    row, column = one.reshaped((1, one.size)), other.reshaped((other.size, 1))
    return _product(given, row, column, (1, 1)).reshaped(given.shape)


@rule(ATEN.addmm.default, ATEN.baddbmm.default, repeats=True)
def addmm(given: Given, start: Value, one: Value, other: Value, *, beta: float = 1, alpha: float = 1) -> Value:
    """A product of matrices that begins with a bias."""
    if alpha != 1:
        one = pointwise(one.shape, given.kind, given.kind, "({0} * {1})", one, alpha)
    if beta != 1:
        start = pointwise(start.shape, given.kind, given.kind, "({0} * {1})", start, beta)
    return _product(given, one, other, start=start.expanded(given.shape))


def _product(given: Given, one: Value, other: Value, shape: Shape | None = None, start: Value | None = None) -> Value:
    shape = given.shape if shape is None else shape
    target = given.writer.array(shape, given.kind)
    rows, columns = len(shape) - 2, len(shape) - 1
    zero = written(0, given.kind)

    def add(name: str, result: Index, term: Index) -> str:
        left = one.at((*result[:rows], result[rows], term[0]))
        right = other.at((*result[:rows], term[0], result[columns]))
        return f"{name} += {left} * {right};"

    gathered(
        given.writer, target, lambda own: zero if start is None else start.at(own), (one.shape[-1],), add,
        (rows, columns),
    )  # fmt: skip
    return target
