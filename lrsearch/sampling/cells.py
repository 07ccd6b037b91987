"""A space of which every axis has a few values only: its settings can be counted, and each is trained once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

from lrsearch.sampling.axis import PlacedAxis
from lrsearch.sampling.space import Space
from lrsearch.storage.store import settings_key
from lrsearch.study_file.searched_options import OPTIMIZER


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
    sizes = [_size(space, axes) for axes in _kinds(space)]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def repeats(space: Space) -> bool:
    """Whether a sampler may come to the same settings twice: trials of some kind have a few settings only.

    Args:
        space: What is searched.
    """
    return any(_size(space, axes) is not None for axes in _kinds(space))


def cells(space: Space) -> Iterator[dict[str, Any]]:
    """All settings of the kinds of trials that have a few only, as Optuna parameters.

    Args:
        space: What is searched.
    """
    for kind, axes in kinds(space):
        if _size(space, axes) is None:
            continue
        for rate, *others in product(*(axis.all_values() or () for axis in axes)):
            yield settings(kind, axes, [rate, *others])


def kinds(space: Space) -> Iterator[tuple[dict[str, str], list[PlacedAxis]]]:
    """Every scheduler type with every optimizer, and the axes that such trials have.

    Args:
        space: What is searched.

    Yields:
        Type and optimizer as Optuna parameters, and the axes, the rate's first.
    """
    for scheduler in space.schedulers:
        for optimizer in space.optimizers:
            chosen = {} if optimizer is None else {OPTIMIZER: optimizer}
            yield {"scheduler": scheduler, **chosen}, space.axes(scheduler, optimizer)


def settings(kind: dict[str, str], axes: Sequence[PlacedAxis], values: Sequence[Any]) -> dict[str, Any]:
    """A cell as Optuna parameters.

    Args:
        kind: Its scheduler type and optimizer.
        axes: Of trials of that kind, the rate's first.
        values: One of each.
    """
    rate, *others = zip((axis.name for axis in axes), values, strict=True)
    return {rate[0]: rate[1], **kind, **dict(others)}


def _kinds(space: Space) -> list[list[PlacedAxis]]:
    return [axes for _, axes in kinds(space)]


def _size(space: Space, axes: Sequence[PlacedAxis]) -> int | None:
    values = [axis.count() for axis in axes]
    return None if space.seeded or None in values else prod(number for number in values if number is not None)
