"""A space of which every axis has a few values only: its settings can be counted, and each is trained once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from itertools import product
from math import prod
from typing import Any

from lrsearch import registry
from lrsearch.sampling.space import Axis, Space, parameter_name
from lrsearch.storage.store import settings_key
from lrsearch.study_file.axes import Choices, Range


def distinct(settings: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Settings in their order, equal ones once.

    Args:
        settings: Complete settings as Optuna parameters.
    """
    there: set[Hashable] = set()
    for params in settings:
        if (key := settings_key(params)) not in there:
            there.add(key)
            yield params


def count(space: Space) -> int | None:
    """How many settings a space has.

    Args:
        space: What is searched.

    Returns:
        The number; None where an axis is continuous, or every trial has a seed of its own.
    """
    sizes = [_size(space, scheduler) for scheduler in space.schedulers]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def repeats(space: Space) -> bool:
    """Whether a sampler may come to the same settings twice: some scheduler type has a few settings only.

    Args:
        space: What is searched.
    """
    return any(_size(space, scheduler) is not None for scheduler in space.schedulers)


def cells(space: Space) -> Iterator[dict[str, Any]]:
    """All settings of the scheduler types that have a few only, as Optuna parameters.

    Args:
        space: What is searched.
    """
    for scheduler in space.schedulers:
        if _size(space, scheduler) is None:
            continue
        axes = _axes(space, scheduler)
        names = ["lr", *(parameter_name(scheduler, name) for name in space.parameters[scheduler])]
        for lr, *own in product(*(_values(axis, integer) or () for axis, integer in axes)):
            yield {"lr": lr, "scheduler": scheduler, **dict(zip(names[1:], own, strict=True))}


def _size(space: Space, scheduler: str) -> int | None:
    values = [_number(axis, integer) for axis, integer in _axes(space, scheduler)]
    return None if space.seeded or None in values else prod(number for number in values if number is not None)


def _axes(space: Space, scheduler: str) -> list[tuple[Axis, bool]]:
    """The axes of a type's settings, and whether only whole numbers count on them."""
    declared = registry.schedules.get(scheduler).parameters()
    own = [(axis, declared[name].integer) for name, axis in space.parameters[scheduler].items()]
    return [(space.lr, False), *own]


def _number(axis: Axis, integer: bool) -> int | None:
    if isinstance(axis, Range) and integer:
        return int(axis.high) - int(axis.low) + 1
    values = _values(axis, integer)
    return None if values is None else len(values)


def _values(axis: Axis, integer: bool) -> list[Any] | None:
    """The values of an axis as Optuna's distribution of it gives them; None if it is continuous."""
    if isinstance(axis, Range):
        if integer:
            return list(range(int(axis.low), int(axis.high) + 1))
        return [axis.low] if axis.low == axis.high else None
    values = axis.choices if isinstance(axis, Choices) else [axis]
    return list(dict.fromkeys(int(value) for value in values)) if integer else list(values)
