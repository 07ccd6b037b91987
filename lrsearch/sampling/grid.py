"""The cells of a grid: every combination of the given values, scheduler type by scheduler type."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

from lrsearch import registry
from lrsearch.errors import Fault
from lrsearch.sampling.space import Axis, Space, parameter_name
from lrsearch.study_file.axes import Choices, Range
from lrsearch.study_file.meaning import show_axis


def cells(space: Space) -> Iterator[dict[str, Any]]:
    """The Optuna parameters of each cell; types in the study's order, the learning rate varying slowest.

    Args:
        space: What is searched; `faults` found nothing in it.
    """
    for scheduler in space.schedulers:
        axes = space.parameters[scheduler]
        names = [parameter_name(scheduler, key) for key in axes]
        for lr, *values in product(_values(space.lr), *(_own_values(scheduler, key, axes[key]) for key in axes)):
            yield {"lr": lr, "scheduler": scheduler, **dict(zip(names, values, strict=True))}


def size(space: Space) -> int:
    """How many cells there are.

    Args:
        space: What is searched.
    """
    return len(_values(space.lr)) * sum(
        prod(len(_own_values(scheduler, key, axis)) for key, axis in space.parameters[scheduler].items())
        for scheduler in space.schedulers
    )


def faults(space: Space, trials: int | None) -> list[Fault]:
    """The ranges that do not say how many points they have, and more trials than there are cells.

    Args:
        space: What is searched.
        trials: Trials that are to be cells; None for as many as there are.
    """
    axes = {"lr": space.lr}
    for scheduler in space.schedulers:
        axes.update({f"{scheduler}.{key}": axis for key, axis in space.parameters[scheduler].items()})
    rule = "a grid needs to know how many values to take: add steps = 5, say, or write { choices = [...] }"
    found = [
        Fault(f"search.{name}", rule, show_axis(axis))
        for name, axis in axes.items()
        if isinstance(axis, Range) and axis.steps is None and axis.low != axis.high
    ]
    if not found and trials is not None and trials > (cells_there_are := size(space)):
        found.append(Fault("study.trials", f"the grid has only {cells_there_are} cells (besides [[try]] settings)"))
    return found


def _values(axis: Axis) -> list[float]:
    return axis.grid() if isinstance(axis, (Range, Choices)) else [axis]


def _own_values(scheduler: str, key: str, axis: Axis) -> list[float]:
    """Values of a scheduler's parameter; a count is rounded to whole numbers, each once."""
    values = _values(axis)
    if registry.schedules.get(scheduler).parameters()[key].integer:
        return list(dict.fromkeys(round(value) for value in values))
    return values
