"""One axis of a search space as Optuna has it, and where its values are given in a study file."""

from __future__ import annotations

from dataclasses import dataclass

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from lrsearch.study_file.axes import Choices, Range
from lrsearch.study_file.option_axes import OptionAxis, OptionChoices, OptionRange, encoded, of_kind, values
from lrsearch.study_file.searched_options import Option

Axis = Range | Choices | float


@dataclass(frozen=True)
class PlacedAxis:
    """A parameter of the space.

    Attributes:
        name: Optuna's name of it.
        place: Its key in a study file.
        axis: Its values, as Optuna can hold them.
        integer: Whether only whole numbers count.
    """

    name: str
    place: str
    axis: Axis | OptionAxis
    integer: bool = False

    @classmethod
    def of(cls, option: Option) -> PlacedAxis:
        """A searched option as a parameter.

        Args:
            option: What is searched.
        """
        axis = option.axis
        integer = axis.integer if isinstance(axis, OptionRange) else type(axis) is int
        axis = axis if isinstance(axis, OptionRange) else of_kind(axis, [encoded(value) for value in values(axis)])
        return cls(option.name, option.place, axis, integer)

    @property
    def distribution(self) -> BaseDistribution:
        return distribution(self.axis, integer=self.integer)

    def grid(self) -> list[object]:
        """The values that a grid takes; a count is rounded to whole numbers, each once."""
        axis = self.axis
        if isinstance(axis, OptionChoices):
            return list(axis.choices)
        found = axis.grid() if isinstance(axis, (Range, Choices)) else [axis]
        if self.integer:
            return list(dict.fromkeys(round(value) for value in found))  # type: ignore[arg-type]
        return list(found)

    def count(self) -> int | None:
        """How many values there are; None where the axis is continuous."""
        if isinstance(self.axis, Range) and self.integer:
            return int(self.axis.high) - int(self.axis.low) + 1
        found = self.all_values()
        return None if found is None else len(found)

    def all_values(self) -> list[object] | None:
        """The values as Optuna's distribution gives them; None where the axis is continuous."""
        axis = self.axis
        if isinstance(axis, Range):
            if self.integer:
                return list(range(int(axis.low), int(axis.high) + 1))
            return [axis.low] if axis.low == axis.high else None
        if isinstance(axis, OptionChoices):
            return list(axis.choices)
        found = axis.choices if isinstance(axis, Choices) else [axis]
        return list(dict.fromkeys(int(value) for value in found)) if self.integer else list(found)  # type: ignore[arg-type]


def distribution(axis: Axis | OptionAxis, *, integer: bool = False) -> BaseDistribution:
    """Optuna's distribution of an axis; a fixed number is one, too.

    Args:
        axis: The axis.
        integer: Whether only whole numbers count.
    """
    if isinstance(axis, (Choices, OptionChoices)):
        return CategoricalDistribution([int(value) for value in axis.choices] if integer else axis.choices)  # type: ignore[arg-type]
    if isinstance(axis, (bool, str, list)):
        return CategoricalDistribution([axis])  # type: ignore[list-item]
    low, high, log = (axis.low, axis.high, axis.log) if isinstance(axis, Range) else (axis, axis, False)
    if integer:
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(low, high, log=log)
