"""Convolutions and their gradients, and pooling. All are sums over a window of an image that has a rim of zeros.

With ``o`` an output channel, ``c`` an input channel, ``y`` a place of the output and ``k`` one of the window, along
each axis of space:

    output[row, o, y]  = bias[o] + sum over c and k of rimmed[row, c, stride * y + dilation * k] * weight[o, c, k]
    of weight[o, c, k] = sum over row and y of gradient[row, o, y] * rimmed[row, c, stride * y + dilation * k]
    of input[row, c, x] = sum over o and k of spread[row, o, x + padding + dilation * (size - 1 - k)] * weight[o, c, k]

where ``spread`` is the gradient with ``stride - 1`` zeros between its numbers and a rim of ``dilation * (size - 1)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lrsearch.training.compiled.rules import ATEN, Given, rule
from lrsearch.training.compiled.sums import gathered
from lrsearch.training.compiled.values import Index, NotCompiledError, Shape, Value, written
from lrsearch.training.compiled.writer import Writer, loops


@rule(ATEN.convolution.default, repeats=True)
def convolution(
    given: Given, image: Value, weight: Value, bias: Value | None, stride: Sequence[int], padding: Sequence[int],
    dilation: Sequence[int], transposed: bool, _: Sequence[int], groups: int,
) -> Value:  # fmt: skip
    """The output."""
    _check(groups, transposed=transposed)
    rimmed = _rimmed(given.writer, image, padding)
    target = given.writer.array(given.shape, given.kind)
    zero = written(0, given.kind)

    def add(name: str, result: Index, term: Index) -> str:
        places = _places(result[2:], term[1:], stride, dilation)
        return f"{name} += {rimmed.at((result[0], term[0], *places))} * {weight.at((result[1], *term))};"

    gathered(given.writer, target, lambda own: bias.at((own[1],)) if bias else zero, weight.shape[1:], add,
             (1, len(given.shape) - 1))  # fmt: skip
    return target


@rule(ATEN.convolution_backward.default, repeats=True)
def convolution_backward(
    given: Given, gradient: Value, image: Value, weight: Value, _: Sequence[int] | None, stride: Sequence[int],
    padding: Sequence[int], dilation: Sequence[int], transposed: bool, __: Sequence[int], groups: int,
    wanted: Sequence[bool],
) -> list[Value | None]:  # fmt: skip
    """Gradients of input, weight and bias; None for one that nobody asks for."""
    _check(groups, transposed=transposed)
    writer, kind = given.writer, gradient.kind
    found: list[Value | None] = [None, None, None]
    if wanted[0]:
        found[0] = _of_image(writer, gradient, image.shape, weight, (stride, padding, dilation))
    if wanted[1]:
        rimmed, target = _rimmed(writer, image, padding), writer.array(weight.shape, kind)

        def add(name: str, result: Index, term: Index) -> str:
            places = _places(term[1:], result[2:], stride, dilation)
            return (f"{name} += {gradient.at((term[0], result[0], *term[1:]))} * "
                    f"{rimmed.at((term[0], result[1], *places))};")  # fmt: skip

        terms = (gradient.shape[0], *gradient.shape[2:])
        gathered(writer, target, lambda _: written(0, kind), terms, add, (0, len(weight.shape) - 1))
        found[1] = target
    if wanted[2]:
        target = writer.array((weight.shape[0],), kind)
        terms = (gradient.shape[0], *gradient.shape[2:])

        def count(name: str, result: Index, term: Index) -> str:
            return f"{name} += {gradient.at((term[0], result[0], *term[1:]))};"

        gathered(writer, target, lambda _: written(0, kind), terms, count, (0,))
        found[2] = target
    return found


@rule(ATEN.max_pool2d_with_indices.default, repeats=True)
def max_pool(
    given: Given, image: Value, window: Sequence[int], stride: Sequence[int] = (), padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1), ceil_mode: bool = False,  # noqa: ARG001
) -> list[Value]:  # fmt: skip
    """The largest number of each window, and where in the image it is; of several the first."""
    writer, like = given.writer, given.like[0]
    window, stride = _both(window), _both(stride or window)
    whole = writer.stored(image)
    found, places = writer.array(tuple(like.shape), image.kind), writer.array(tuple(like.shape), "I")
    begin, index, end = loops(found.shape)
    *outer, height, width = index
    rows, columns = image.shape[-2:]
    one, other = (f"{step} * ({place}) + {way} * {name} - {rim}" for step, place, way, name, rim in
                  zip(stride, (height, width), _both(dilation), ("k0", "k1"), _both(padding), strict=True))  # fmt: skip
    text = (
        f"{image.kind} best = {written(-math.inf, image.kind)}; I place = splat<I>(int64_t(-1)); "
        f"for (int64_t k0 = 0; k0 < {window[0]}; ++k0) for (int64_t k1 = 0; k1 < {window[1]}; ++k1) {{ "
        f"const int64_t y = {one}, x = {other}; if (y < 0 || y >= {rows} || x < 0 || x >= {columns}) continue; "
        f"{image.kind} own = {whole.at((*outer, 'y', 'x'))}; "
        "B better = gt(own, best) | ne(own, own) | lt(place, splat<I>(int64_t(0))); "
        f"best = where(better, own, best); place = where(better, splat<I>(int64_t(y * {columns} + x)), place); }} "
        f"{found.at(index)} = best; {places.at(index)} = place;"
    )
    writer.write(places, f"{begin}{places.at(index)} = splat<I>(int64_t(0));{end}")
    found_too = writer.given(places.buffer, places.shape, "I")
    found_too.at(index)
    writer.write(found, begin + text + end)
    return [found, places]


@rule(ATEN.max_pool2d_with_indices_backward.default, repeats=True)
def max_pool_backward(given: Given, gradient: Value, *way: Any) -> Value:
    """Each number of the gradient goes where the largest number came from, which the last argument says."""
    places: Value = way[-1]
    writer, target = given.writer, given.writer.array(given.shape, given.kind)
    begin, index, end = loops(given.shape)
    writer.write(target, f"{begin}{target.at(index)} = {written(0, given.kind)};{end}")
    begin, index, end = loops(gradient.shape)
    size = math.prod(given.shape[-2:])
    first = target.at((*index[:-2], "0", "0"))
    call = f"put_more(&{first}, {places.at(index)}, {size}, 1, {gradient.at(index)});"
    writer.write(target, f"{begin}{call}{end}")
    return target


@rule(ATEN.avg_pool2d.default, repeats=True)
def avg_pool(given: Given, image: Value, window: Sequence[int], stride: Sequence[int] = (), *way: Any) -> Value:
    """The mean of each window."""
    window, stride, padding, number = _averaged(window, stride, *way)
    rimmed, target = _rimmed(given.writer, image, padding), given.writer.array(given.shape, given.kind)
    scale = written(number, given.kind)

    def add(name: str, result: Index, term: Index) -> str:
        places = _places(result[-2:], term, stride, (1, 1))
        return f"{name} += {rimmed.at((*result[:-2], *places))} / {scale};"

    gathered(given.writer, target, lambda _: written(0, given.kind), tuple(window), add, (len(given.shape) - 1,))
    return target


@rule(ATEN.avg_pool2d_backward.default, repeats=True)
def avg_pool_backward(
    given: Given, gradient: Value, _: Value, window: Sequence[int], stride: Sequence[int], *way: Any
) -> Value:
    """Each number of the gradient goes to all of its window in equal shares."""
    window, stride, padding, number = _averaged(window, stride, *way)
    writer, target = given.writer, given.writer.array(given.shape, given.kind)
    begin, index, end = loops(given.shape)
    writer.write(target, f"{begin}{target.at(index)} = {written(0, given.kind)};{end}")
    begin, index, end = loops(gradient.shape)
    places = [f"{step} * ({place}) + {name} - {rim}" for step, place, name, rim in
              zip(stride, index[-2:], ("k0", "k1"), padding, strict=True)]  # fmt: skip
    rows, columns = given.shape[-2:]
    share = f"{gradient.at(index)} / {written(number, given.kind)}"
    text = (
        f"for (int64_t k0 = 0; k0 < {window[0]}; ++k0) for (int64_t k1 = 0; k1 < {window[1]}; ++k1) {{ "
        f"const int64_t y = {places[0]}, x = {places[1]}; "
        f"if (y >= 0 && y < {rows} && x >= 0 && x < {columns}) {target.at((*index[:-2], 'y', 'x'))} += {share}; }}"
    )
    writer.write(target, begin + text + end)
    return target


def _averaged(
    window: Sequence[int], stride: Sequence[int], padding: Sequence[int] = (0, 0), ceil_mode: bool = False,
    count_include_pad: bool = True, divisor: int | None = None,
) -> tuple[list[int], list[int], list[int], int]:  # fmt: skip
    """Window, stride and padding along both axes, and what sums are divided by."""
    if ceil_mode or (any(padding) and not count_include_pad and divisor is None):
        raise NotCompiledError("takes means of windows that reach beyond the image")
    return _both(window), _both(stride or window), _both(padding), divisor or math.prod(_both(window))


def _check(groups: int, *, transposed: bool) -> None:
    if transposed:
        raise NotCompiledError("has a transposed convolution")
    if groups != 1:
        raise NotCompiledError("has a convolution in groups")


def _both(sizes: Sequence[int]) -> list[int]:
    return list(sizes) * 2 if len(sizes) == 1 else list(sizes)


def _places(outer: Index, inner: Index, stride: Sequence[int], dilation: Sequence[int]) -> Index:
    """``stride * outer + dilation * inner`` along each axis."""
    steps = zip(outer, inner, stride, dilation, strict=True)
    return tuple(f"{step} * ({place}) + {way} * ({own})" for place, own, step, way in steps)


def _rimmed(writer: Writer, image: Value, padding: Sequence[int]) -> Value:
    """The image in an array, with a rim of zeros."""
    if not any(padding):
        return writer.stored(image)
    return _spread(writer, image, [1] * len(padding), padding)


def _spread(writer: Writer, image: Value, steps: Sequence[int], rim: Sequence[int], more: Sequence[int] = ()) -> Value:
    """The image with zeros between its numbers and around them.

    Args:
        writer: Takes statements.
        image: [rows, channels, ...].
        steps: From one number to the next, along each axis of space.
        rim: Zeros before and after, along each axis.
        more: Further zeros after.
    """
    own = image.shape[2:]
    sizes = [(size - 1) * step + 1 + 2 * zeros for size, step, zeros in zip(own, steps, rim, strict=True)]
    sizes = [size + extra for size, extra in zip(sizes, more or [0] * len(sizes), strict=True)]
    target = writer.array((*image.shape[:2], *sizes), image.kind)
    begin, index, end = loops(target.shape)
    writer.write(target, f"{begin}{target.at(index)} = {written(0, image.kind)};{end}")
    begin, index, end = loops(image.shape)
    inside = tuple(f"{step} * ({place}) + {zeros}" for place, step, zeros in zip(index[2:], steps, rim, strict=True))
    writer.write(target, f"{begin}{target.at((*index[:2], *inside))} = {image.at(index)};{end}")
    return target


def _of_image(writer: Writer, gradient: Value, shape: Shape, weight: Value, way: Sequence[Sequence[int]]) -> Value:
    """The gradient of the input; the way is stride, padding and dilation."""
    stride, padding, dilation = way
    window = weight.shape[2:]
    rim = [own * (size - 1) for own, size in zip(dilation, window, strict=True)]
    reached = [(size - 1) * step + 1 + 2 * zeros
               for size, step, zeros in zip(gradient.shape[2:], stride, rim, strict=True)]  # fmt: skip
    needed = [size + zeros + own for size, zeros, own in zip(shape[2:], padding, rim, strict=True)]
    more = [max(size - there, 0) for size, there in zip(needed, reached, strict=True)]
    spread, target = _spread(writer, gradient, stride, rim, more), writer.array(shape, gradient.kind)

    def add(name: str, result: Index, term: Index) -> str:
        places = tuple(
            f"{place} + {zeros} + {own} * ({size - 1} - {k})"
            for place, zeros, own, size, k in zip(result[2:], padding, dilation, window, term[1:], strict=True)
        )
        return f"{name} += {spread.at((result[0], term[0], *places))} * {weight.at((term[0], result[1], *term[1:]))};"

    terms = (weight.shape[0], *window)
    gathered(writer, target, lambda _: written(0, gradient.kind), terms, add, (1, len(shape) - 1))
    return target
