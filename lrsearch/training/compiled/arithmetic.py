"""Operations that look at one number of each argument: sums, products, functions, comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch._ops import OpOverload

from lrsearch.training.compiled.rules import ATEN, Given, common_kind, rule
from lrsearch.training.compiled.values import Shape, Value, constant

Written = Callable[..., str]


def pointwise(shape: Shape, kind: str, into: str, template: str, *parts: Value | float) -> Value:
    """A value that is computed from those at the same place.

    Args:
        shape: Of the result.
        kind: The vector in which it is computed.
        into: The vector of the result.
        template: C++ with a place for each part.
        parts: Tensors, which are repeated where they must be, and numbers.
    """
    whole = [
        part.as_kind(kind).expanded(shape) if isinstance(part, Value) else constant(part, shape, kind) for part in parts
    ]
    return Value(shape, into, lambda index: template.format(*(part.at(index) for part in whole)))


def _same(template: str, *operations: OpOverload) -> None:
    """Computed in the type of the result."""

    def apply(given: Given, *parts: Any) -> Value:
        return pointwise(given.shape, given.kind, given.kind, template, *parts)

    rule(*operations)(apply)


def _compared(template: str, *operations: OpOverload) -> None:
    """Computed in the type that the arguments have in common."""

    def apply(given: Given, *parts: Any) -> Value:
        return pointwise(given.shape, common_kind(*parts), "B", template, *parts)

    rule(*operations)(apply)


for _template, _names in {
    "({0} * {1})": ("mul.Tensor", "mul.Scalar"),
    "({0} / {1})": ("div.Tensor", "div.Scalar"),
    "(-{0})": ("neg.default",),
    "absolute({0})": ("abs.default",),
    "exponential({0})": ("exp.default",),
    "exponential_less_1({0})": ("expm1.default",),
    "logarithm({0})": ("log.default",),
    "logarithm_of_1_plus({0})": ("log1p.default",),
    "hyperbolic_tangent({0})": ("tanh.default",),
    "sine({0})": ("sin.default",),
    "cosine({0})": ("cos.default",),
    "error_function({0})": ("erf.default",),
    "square_root({0})": ("sqrt.default",),
    "(1 / square_root({0}))": ("rsqrt.default",),
    "(1 / (1 + exponential(-{0})))": ("sigmoid.default",),
    "(1 / {0})": ("reciprocal.default",),
    "rounded_down({0})": ("floor.default",),
    "rounded_up({0})": ("ceil.default",),
    "rounded_to_even({0})": ("round.default",),
    "cut_off({0})": ("trunc.default",),
    "largest({0}, {1})": ("maximum.default", "clamp_min.default", "clamp_min.Tensor"),
    "smallest({0}, {1})": ("minimum.default", "clamp_max.default", "clamp_max.Tensor"),
}.items():
    for _name in _names:
        _packet, _, _overload = _name.partition(".")
        _same(_template, getattr(getattr(ATEN, _packet), _overload))

for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    _compared(f"{_name}({{0}}, {{1}})", getattr(ATEN, _name).Tensor, getattr(ATEN, _name).Scalar)
_compared("ne({0}, {0})", ATEN.isnan.default)
_compared("eq(absolute({0}), splat<decltype({0})>(INFINITY))", ATEN.isinf.default)
_same("({0} & {1})", ATEN.logical_and.default, ATEN.bitwise_and.Tensor)
_same("({0} | {1})", ATEN.logical_or.default, ATEN.bitwise_or.Tensor)
_same("(~{0})", ATEN.logical_not.default, ATEN.bitwise_not.default)


@rule(ATEN.sign.default, ATEN.sgn.default, repeats=True)
def sign(given: Given, value: Value) -> Value:
    """1, 0 or -1."""
    kind = given.kind
    template = f"(to_{kind}(gt({{0}}, {{1}})) - to_{kind}(lt({{0}}, {{1}})))"
    return pointwise(given.shape, kind, kind, template, value, 0)


@rule(ATEN.relu.default)
def relu(given: Given, value: Value) -> Value:
    """What is negative becomes 0."""
    return pointwise(given.shape, given.kind, given.kind, "largest({0}, {1})", value, 0)


@rule(ATEN.add.Tensor, ATEN.add.Scalar)
def add(given: Given, one: Value | float, other: Value | float, alpha: float = 1) -> Value:
    """``one + alpha * other``."""
    template = "({0} + {1})" if alpha == 1 else "({0} + {2} * {1})"
    return pointwise(given.shape, given.kind, given.kind, template, one, other, alpha)


@rule(ATEN.sub.Tensor, ATEN.sub.Scalar)
def sub(given: Given, one: Value | float, other: Value | float, alpha: float = 1) -> Value:
    """``one - alpha * other``."""
    template = "({0} - {1})" if alpha == 1 else "({0} - {2} * {1})"
    return pointwise(given.shape, given.kind, given.kind, template, one, other, alpha)


@rule(ATEN.rsub.Scalar, ATEN.rsub.Tensor)
def rsub(given: Given, one: Value | float, other: Value | float, alpha: float = 1) -> Value:
    """``other - alpha * one``."""
    return sub(given, other, one, alpha)


@rule(ATEN.addcmul.default)
def addcmul(given: Given, start: Value, one: Value, other: Value, value: float = 1) -> Value:
    """``start + value * one * other``."""
    template = "({0} + {1} * {2})" if value == 1 else "({0} + {3} * {1} * {2})"
    return pointwise(given.shape, given.kind, given.kind, template, start, one, other, value)


@rule(ATEN.addcdiv.default)
def addcdiv(given: Given, start: Value, one: Value, other: Value, value: float = 1) -> Value:
    """``start + value * one / other``."""
    template = "({0} + {1} / {2})" if value == 1 else "({0} + {3} * {1} / {2})"
    return pointwise(given.shape, given.kind, given.kind, template, start, one, other, value)


@rule(ATEN.lerp.Scalar, ATEN.lerp.Tensor, repeats=True)
def lerp(given: Given, start: Value, end: Value, weight: Value | float) -> Value:
    """``start + weight * (end - start)``, from the nearer end as torch has it."""
    near, far = "{0} + {2} * ({1} - {0})", "{1} - ({1} - {0}) * (1 - {2})"
    template = f"where(lt(absolute({{2}}), {{3}}), {near}, {far})"
    return pointwise(given.shape, given.kind, given.kind, template, start, end, weight, 0.5)


@rule(ATEN.pow.Tensor_Scalar, repeats=True)
def power(given: Given, base: Value, exponent: float) -> Value:
    """Whole and half powers as products and roots, as torch has them."""
    known = {
        1: "{0}", 2: "({0} * {0})", 3: "({0} * {0} * {0})", 0.5: "square_root({0})",
        -0.5: "(1 / square_root({0}))", -1: "(1 / {0})", -2: "(1 / ({0} * {0}))",
    }  # fmt: skip
    if exponent == 0:
        return constant(1, given.shape, given.kind)
    template = known.get(exponent, "power({0}, {1})")
    return pointwise(given.shape, given.kind, given.kind, template, base, exponent)


@rule(ATEN.pow.Tensor_Tensor, ATEN.pow.Scalar)
def power_of(given: Given, base: Value | float, exponent: Value) -> Value:
    """Any power."""
    return pointwise(given.shape, given.kind, given.kind, "power({0}, {1})", base, exponent)


@rule(ATEN.where.self)
def where(given: Given, condition: Value, one: Value, other: Value) -> Value:
    """One where a condition holds, and the other elsewhere."""
    shape, kind = given.shape, given.kind
    parts = condition.as_kind("B"), one.as_kind(kind), other.as_kind(kind)
    which, left, right = (part.expanded(shape) for part in parts)
    return Value(shape, kind, lambda index: f"where({which.at(index)}, {left.at(index)}, {right.at(index)})")


@rule(ATEN.clamp.default)
def clamp(given: Given, value: Value, least: float | None = None, most: float | None = None) -> Value:
    """Between two numbers."""
    shape, kind = given.shape, given.kind
    if least is not None:
        value = pointwise(shape, kind, kind, "largest({0}, {1})", value, least)
    return value if most is None else pointwise(shape, kind, kind, "smallest({0}, {1})", value, most)


@rule(ATEN._to_copy.default, is_view=True)
def to_copy(given: Given, value: Value, **_: Any) -> Value:
    """In another type."""
    return value.as_kind(given.kind)


@rule(ATEN.clone.default, ATEN.alias.default, ATEN.detach.default, ATEN.lift_fresh_copy.default, is_view=True)
def same(given: Given, value: Value, **_: Any) -> Value:  # noqa: ARG001
    """Itself."""
    return value


@rule(ATEN.copy.default)
def copy(given: Given, old: Value, new: Value, *_: Any) -> Value:  # noqa: ARG001
    """What takes another's place."""
    return new.as_kind(given.kind).expanded(given.shape)


def _filled(given: Given, number: float) -> Value:
    return constant(number, given.shape, given.kind)


@rule(ATEN.full.default, ATEN.full_like.default, ATEN.new_full.default, ATEN.fill.Scalar, is_view=True)
def full(given: Given, _: Any, *rest: Any, **__: Any) -> Value:
    """The same number everywhere."""
    return _filled(given, rest[-1])


@rule(ATEN.zeros.default, ATEN.zeros_like.default, ATEN.new_zeros.default, ATEN.empty.memory_format,
      ATEN.empty_like.default, ATEN.new_empty.default, ATEN.zero.default, is_view=True)  # fmt: skip
def zeros(given: Given, *_: Any, **__: Any) -> Value:
    """Nothing; also what is there before it is written."""
    return _filled(given, 0)


@rule(ATEN.ones.default, ATEN.ones_like.default, ATEN.new_ones.default, is_view=True)
def ones(given: Given, *_: Any, **__: Any) -> Value:
    """1 everywhere."""
    return _filled(given, 1)


@rule(ATEN.scalar_tensor.default, is_view=True)
def scalar_tensor(given: Given, number: float, **_: Any) -> Value:
    """One number."""
    return _filled(given, number)


@rule(ATEN.arange.start_step, ATEN.arange.start, ATEN.arange.default, is_view=True)
def arange(given: Given, *numbers: float, **_: Any) -> Value:
    """Numbers in steps."""
    begin, step = (numbers[0] if len(numbers) > 1 else 0), (numbers[2] if len(numbers) > 2 else 1)
    way = f"to_{given.kind}(splat<D>({begin} + double({{}}) * {step}))"
    return Value(given.shape, given.kind, lambda index: way.format(index[0]))
