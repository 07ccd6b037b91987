"""The numbers of a schedule: what each means, and which values are right."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import Any

from lrsearch.errors import input_error
from lrsearch.study_file.axes import Choices, Range


@dataclass(frozen=True)
class Parameter:
    """A schedule's parameter: what it means, which values are right, and where to search.

    Attributes:
        meaning: One line for lists and error messages.
        search: Default search axis; None if it is searched only when a study file names it.
        minimum: Smallest right value.
        maximum: Largest right value.
        above: The value must be larger than this.
        below: The value must be smaller than this.
        integer: Whether it counts something.
        called: The parameter's name, where its attribute needs another one.
    """

    meaning: str
    search: Range | Choices | float | None = None
    minimum: float = -math.inf
    maximum: float = math.inf
    above: float = -math.inf
    below: float = math.inf
    integer: bool = False
    called: str | None = None

    def rule(self, name: str) -> str:
        """The rule in words, such as ``must satisfy 0 < decay <= 1``."""
        low = next((f"{bound:g} {sign} " for bound, sign in ((self.above, "<"), (self.minimum, "<="))
                    if math.isfinite(bound)), "")  # fmt: skip
        high = next((f" {sign} {bound:g}" for bound, sign in ((self.below, "<"), (self.maximum, "<="))
                     if math.isfinite(bound)), "")  # fmt: skip
        kind = "a whole number" if self.integer else "a finite number"
        return f"must be {kind}" + (f" with {low}{name}{high}" if low or high else "")

    def holds(self, value: float) -> bool:
        """Whether a value keeps the rule."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if isinstance(value, int) and abs(value) > sys.maxsize:
            return False
        if not math.isfinite(value):
            return False
        if self.integer and value != int(value):
            return False
        return self.minimum <= value <= self.maximum and self.above < value < self.below


def parameter(default: float, meaning: str, **details: Any) -> Any:
    """A dataclass field that is a schedule's parameter.

    Args:
        default: Value where none is given.
        meaning: One line for lists and error messages.
        **details: Further fields of `Parameter`.
    """
    return field(default=default, metadata={"parameter": Parameter(meaning, **details)})


def check_horizon(horizon: object, where: str) -> None:
    """Refuse what is no number of steps.

    Args:
        horizon: What was received.
        where: Who asks, for the message.

    Raises:
        InputError: It is no whole number above 0.
    """
    if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
        rule = "must be a whole number of at least 1: how often the scheduler will be stepped"
        raise input_error(where, rule, key="horizon", received=repr(horizon))
