"""What a row of Optuna's tables says, as a value: numbers, parameters and attributes, whoever wrote them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.storages._rdb import models

from lrsearch.storage.broken_rows import BrokenRowError


def value_of(stored: float | None, kind: Any) -> float | None:
    """A trial's value, as its row has it."""
    read: float | None = models.TrialValueModel.stored_repr_to_value(stored, kind)
    return read


def intermediate_of(stored: float | None, kind: Any) -> float:
    """An intermediate value, as its row has it."""
    return float(models.TrialIntermediateValueModel.stored_repr_to_intermediate_value(stored, kind))


def not_finite(kind: str) -> float:
    """An intermediate value whose row has no number.

    Args:
        kind: The name of what it is instead.
    """
    return intermediate_of(None, models.TrialIntermediateValueModel.TrialIntermediateValueType[kind])


def attribute_of(stored: str) -> Any:
    """A user or system attribute, as its row has it.

    Raises:
        BrokenRowError: It is no JSON: somebody else wrote it, or cut it short.
    """
    try:
        return json.loads(stored)
    except (TypeError, ValueError, RecursionError):
        raise BrokenRowError(f"an attribute is no JSON: {str(stored)[:40]!r}") from None


def readable(stored: str) -> Any:
    """The same, but None for one that is no JSON."""
    try:
        return attribute_of(stored)
    except BrokenRowError:
        return None


def parameter_of(stored: float, distribution: str) -> tuple[BaseDistribution, Any]:
    """A parameter's distribution and value, as its row has them.

    Args:
        stored: The number in the row; of a categorical one, the place of its choice.
        distribution: The distribution as JSON.

    Raises:
        BrokenRowError: The distribution is none that Optuna knows, or has no such value.
    """
    try:
        kind = _distribution(distribution)
        return kind, kind.to_external_repr(stored)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        raise BrokenRowError(f"a parameter has the value {stored!r} of {distribution[:40]!r}") from None


def param_of(distribution: str, stored: float) -> Any:
    """A parameter's value; None where the row cannot be read.

    Args:
        distribution: See `parameter_of`.
        stored: See `parameter_of`.
    """
    try:
        return parameter_of(stored, distribution)[1]
    except BrokenRowError:
        return None


@lru_cache(maxsize=1024)
def _distribution(text: str) -> BaseDistribution:
    """A study has thousands of parameters and a handful of distributions."""
    return json_to_distribution(text)
