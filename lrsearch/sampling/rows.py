"""Settings that somebody let wait for a trial, judged as any other input: one by one, before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from lrsearch.errors import nearest
from lrsearch.sampling.space import Space
from lrsearch.study_file.faults import show
from lrsearch.study_file.meaning import show_axis
from lrsearch.study_file.searched_options import OPTIMIZER


class Rows:
    """Judges the fixed settings of trials.

    Args:
        space: What the study searches.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._axes = _axes(space)

    def fault(self, fixed: Any) -> str | None:
        """Why settings cannot be trained in the study, with what was received; None if they can.

        Args:
            fixed: What is fixed of a trial's settings, by Optuna's names, as the database has it.
        """
        if not isinstance(fixed, Mapping):
            return f"its settings cannot be read: {'no JSON' if fixed is None else show(fixed)}"
        types = self._space.schedulers
        if "scheduler" in fixed and fixed["scheduler"] not in types:
            near = nearest(str(fixed["scheduler"]), types)
            there = f"did you mean {near[0]}?" if near else f"there are {', '.join(types)}"
            return f"scheduler = {show(fixed['scheduler'])} is not among search.schedulers; {there}"
        optimizers = self._space.options.optimizers
        if optimizers and OPTIMIZER in fixed and fixed[OPTIMIZER] not in optimizers:
            there = f"there are {', '.join(optimizers)}"
            return f"{OPTIMIZER} = {show(fixed[OPTIMIZER])} is not among search.optimizers; {there}"
        for name, value in fixed.items():
            if (
                name in self._axes
                and name not in ("scheduler", OPTIMIZER)
                and not _contains(self._axes[name][0], value)
            ):
                return f"{name} = {show(value)} is outside {self._axes[name][1]}"
        return None

    def unknown_keys(self, fixed: Mapping[str, Any]) -> list[str]:
        """The names among fixed settings that mean nothing in the study; a trial trains without them.

        Args:
            fixed: What is fixed of a trial's settings; `fault` found nothing in it.
        """
        known = set(self._axes)
        if "scheduler" in fixed and (OPTIMIZER in fixed or not self._space.options.optimizers):
            known = {*self._space.shared(), *self._space.own_distributions(fixed)}
        return [name for name in fixed if name not in known]


def _axes(space: Space) -> dict[str, tuple[BaseDistribution, str]]:
    """Each parameter's distribution, and where its values are given as a study file would say it."""
    found = {name: (axis, f"what a {name} may be") for name, axis in space.all_distributions().items()}
    for one in (axis for kind in space.schedulers for name in space.optimizers for axis in space.axes(kind, name)):
        found[one.name] = (found[one.name][0], f"{one.place} = {show_axis(one.axis)}")
    return found


def _contains(axis: BaseDistribution, value: Any) -> bool:
    if isinstance(axis, CategoricalDistribution):
        kinds = (_is_number(value), type(value))
        alike = (choice for choice in axis.choices if (_is_number(choice) and kinds[0]) or type(choice) is kinds[1])
        return any(bool(choice == value) for choice in alike)
    if not _is_number(value):
        return False
    assert isinstance(axis, (FloatDistribution, IntDistribution))
    whole = isinstance(axis, FloatDistribution) or value == int(value)
    return whole and bool(axis.low <= value <= axis.high)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
