"""One axis over a training key or a task option: a range, a list of choices, or one value, of whatever kind it is."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, FiniteFloat, model_validator
from pydantic_core import PydanticCustomError

from lrsearch.errors import Fault
from lrsearch.study_file.axes import Range, StrictModel
from lrsearch.study_file.faults import show, validate

Scalar = bool | int | FiniteFloat | str
Value = bool | int | float | str | list[Any]
KEYS = ("low", "high", "choices")
"""What a table has that is an axis."""


class OptionRange(Range):
    """All numbers between two bounds; whole numbers only where both bounds are written as such."""

    low: int | FiniteFloat
    high: int | FiniteFloat

    @property
    def integer(self) -> bool:
        """Whether only whole numbers count."""
        return isinstance(self.low, int) and isinstance(self.high, int)


class OptionChoices(StrictModel):
    """One of a few values of any kind that a file can hold, lists of them among these.

    Attributes:
        choices: The values.
    """

    choices: list[Scalar | list[Scalar]] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> OptionChoices:
        if len({repr(choice) for choice in self.choices}) < len(self.choices):
            raise PydanticCustomError("rule", "choices must differ from each other")
        return self


OptionAxis = OptionRange | OptionChoices | Value
"""A value that is neither of the first two is fixed."""


def read(value: object, key: str, faults: list[Fault]) -> OptionAxis | None:
    """An axis as a file has it.

    Args:
        value: What stands in the file.
        key: Its key, for messages.
        faults: What is wrong is appended here.

    Returns:
        The axis; None if faults were appended.
    """
    if isinstance(value, dict):
        if "choices" in value:
            return validate(OptionChoices, value, key, faults)
        return validate(OptionRange, value, key, faults)
    if isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, list) and value and not any(isinstance(part, (dict, list)) for part in value):
        return value
    faults.append(Fault(key, "must be { low = ..., high = ... }, { choices = [...] }, or one value", show(value)))
    return None


def values(axis: OptionAxis) -> list[Value]:
    """The values from which a rule on the whole axis can be checked: ends, choices, or the fixed one."""
    if isinstance(axis, OptionRange):
        return [axis.low, axis.high]
    return list(axis.choices) if isinstance(axis, OptionChoices) else [axis]


def of_kind(axis: OptionAxis, kept: Sequence[Any]) -> OptionAxis:
    """The axis with its values in the kind that their owner gives them: ``0`` of a float is ``0.0``.

    Args:
        axis: The axis.
        kept: What became of `values` of it, one by one.
    """
    if isinstance(axis, OptionRange):
        low, high = kept
        return axis.model_copy(update={"low": low, "high": high})
    return OptionChoices(choices=list(kept)) if isinstance(axis, OptionChoices) else kept[0]


def contains(axis: OptionAxis, value: object) -> bool:
    """Whether a value lies on the axis."""
    if isinstance(axis, OptionRange):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and axis.low <= value <= axis.high and (not axis.integer or value == int(value))  # type: ignore[operator,call-overload]
    return any(encoded(value) == encoded(choice) for choice in values(axis))


def encoded(value: Any) -> bool | int | float | str:
    """A value as Optuna can hold it; a list becomes a text."""
    return json.dumps(value) if isinstance(value, list) else value


def decoded(axis: OptionAxis, value: Any) -> Any:
    """The value that `encoded` gave this for.

    Args:
        axis: Where it comes from.
        value: As Optuna has it.
    """
    if isinstance(axis, OptionRange):
        return int(value) if axis.integer else value
    return next((choice for choice in values(axis) if encoded(choice) == value), value)


def nearest(axis: OptionAxis, value: Any) -> Value:
    """The value of the axis that is nearest to another one; of choices without an order the first.

    Args:
        axis: The axis.
        value: What shall be moved onto it; None for nothing that is known.
    """
    if contains(axis, value):
        return value  # type: ignore[no-any-return]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(axis, OptionRange):
        return min(max(value, axis.low), axis.high) if number else axis.low
    there = values(axis)
    numbers = [one for one in there if isinstance(one, (int, float)) and not isinstance(one, bool)]
    return min(numbers, key=lambda one: abs(one - value)) if number and numbers else there[0]


def is_axis(value: object) -> bool:
    """Whether a table of a file is an axis, and not a table of axes."""
    return not isinstance(value, Mapping) or any(key in value for key in KEYS)
