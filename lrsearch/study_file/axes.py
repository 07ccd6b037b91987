"""One axis of the search space: a range, a list of choices, or a fixed number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, FiniteFloat, Tag, model_validator
from pydantic_core import PydanticCustomError

DIGITS = 6
"""Significant digits of a number that is chosen within a range: what is printed then is what was trained."""


def short(value: float) -> float:
    """A number with so many significant digits that it can be printed whole.

    Args:
        value: The number.
    """
    return float(f"{value:.{DIGITS}g}")


class StrictModel(BaseModel):
    """Unknown keys are errors, and nothing is silently converted (``"60"`` is not 60, nor is ``true`` 1)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class NoOptions(StrictModel):
    """Of a sampler or pruner that has nothing to set."""


class Range(StrictModel):
    """All numbers between two bounds.

    Attributes:
        low: Smallest value, included.
        high: Largest value, included.
        log: Whether equal ratios, not equal differences, are equally likely.
        steps: Number of grid points, ends included; only the grid sampler needs it.
    """

    low: FiniteFloat
    high: FiniteFloat
    log: bool = False
    steps: int | None = Field(default=None, ge=1, le=100_000)

    @model_validator(mode="after")
    def _check(self) -> Range:
        if self.low > self.high:
            raise PydanticCustomError("rule", "low must not be larger than high")
        if self.log and self.low <= 0:
            raise PydanticCustomError("rule", "low must be larger than 0 on a log scale")
        return self

    def bounds(self) -> tuple[float, ...]:
        """Every number from which a rule on the whole axis can be checked."""
        return (self.low, self.high)

    def grid(self) -> list[float]:
        """`steps` evenly spaced values, on the log scale if `log`; both ends are exact, the others `short`."""
        if self.low == self.high:
            return [self.low]
        count = self.steps or 1
        if count == 1:
            return [self.low]
        if self.log:
            ratio = math.log(self.high / self.low)
            inner = [self.low * math.exp(ratio * i / (count - 1)) for i in range(1, count - 1)]
        else:
            inner = [self.low + (self.high - self.low) * i / (count - 1) for i in range(1, count - 1)]
        return [self.low, *map(short, inner), self.high]


class Choices(StrictModel):
    """One of a few numbers."""

    choices: list[FiniteFloat] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Choices:
        if len(set(self.choices)) < len(self.choices):
            raise PydanticCustomError("rule", "choices must differ from each other")
        return self

    def bounds(self) -> tuple[float, ...]:
        return tuple(self.choices)

    def grid(self) -> list[float]:
        return list(self.choices)


def _kind(value: Any) -> Literal["<range>", "<choices>", "<number>"]:
    if isinstance(value, (Range, Choices)):
        return "<range>" if isinstance(value, Range) else "<choices>"
    if isinstance(value, dict):
        return "<choices>" if "choices" in value else "<range>"
    return "<number>"


Axis = Annotated[
    Annotated[Range, Tag("<range>")] | Annotated[Choices, Tag("<choices>")] | Annotated[FiniteFloat, Tag("<number>")],
    Discriminator(_kind),
]
"""What may stand for a searched number in a study file."""

AXIS_TAGS = ("<range>", "<choices>", "<number>")
"""pydantic puts the tag it took into the path of an error; a person never wrote it."""


def bounds(axis: Range | Choices | float) -> Sequence[float]:
    """Every number from which a rule on the whole axis can be checked."""
    return axis.bounds() if isinstance(axis, (Range, Choices)) else (axis,)


def contains(axis: Range | Choices | float, value: float) -> bool:
    """Whether a value lies on the axis."""
    if isinstance(axis, Range):
        return axis.low <= value <= axis.high
    return value in bounds(axis)
