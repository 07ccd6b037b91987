"""The cells of a grid: every combination of the given values, scheduler type by scheduler type."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

from lrsearch.errors import Fault
from lrsearch.sampling.cells import kinds, settings
from lrsearch.sampling.space import Space
from lrsearch.study_file.axes import Range
from lrsearch.study_file.meaning import show_axis


def cells(space: Space) -> Iterator[dict[str, Any]]:
    """The Optuna parameters of each cell; types in the study's order, the learning rate varying slowest.

    Args:
        space: What is searched; `faults` found nothing in it.
    """
    for kind, axes in kinds(space):
        for values in product(*(axis.grid() for axis in axes)):
            yield settings(kind, axes, values)


def size(space: Space) -> int:
    """How many cells there are.

    Args:
        space: What is searched.
    """
    return sum(prod(len(axis.grid()) for axis in axes) for _, axes in kinds(space))


def faults(space: Space, trials: int | None) -> list[Fault]:
    """The ranges that do not say how many points they have, and more trials than there are cells.

    Args:
        space: What is searched.
        trials: Trials that are to be cells; None for as many as there are.
    """
    places = {axis.place: axis.axis for _, axes in kinds(space) for axis in axes}
    rule = "a grid needs to know how many values to take: add steps = 5, say, or write { choices = [...] }"
    found = [
        Fault(place, rule, show_axis(axis))
        for place, axis in places.items()
        if isinstance(axis, Range) and axis.steps is None and axis.low != axis.high
    ]
    if not found and trials is not None and trials > (cells_there_are := size(space)):
        found.append(Fault("study.trials", f"the grid has only {cells_there_are} cells (besides [[try]] settings)"))
    return found
