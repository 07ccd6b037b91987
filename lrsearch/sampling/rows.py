"""Settings that somebody let wait for a trial, judged as any other input: one by one, before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from lrsearch.errors import nearest
from lrsearch.sampling.space import Axis, Space, parameter_name
from lrsearch.study_file.faults import show
from lrsearch.study_file.meaning import show_axis


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
        for name, value in fixed.items():
            if name in self._axes and name != "scheduler" and not _contains(self._axes[name][0], value):
                return f"{name} = {show(value)} is outside {self._axes[name][1]}"
        return None

    def unknown_keys(self, fixed: Mapping[str, Any]) -> list[str]:
        """The names among fixed settings that mean nothing in the study; a trial trains without them.

        Args:
            fixed: What is fixed of a trial's settings; `fault` found nothing in it.
        """
        known = set(self._axes)
        if "scheduler" in fixed:
            known = {*self._space.shared(), *self._space.distributions(fixed["scheduler"])}
        return [name for name in fixed if name not in known]


def _axes(space: Space) -> dict[str, tuple[BaseDistribution, str]]:
    """Each parameter's distribution, and where its values are given as a study file would say it."""
    found = {name: (axis, _place(name, space.lr)) for name, axis in space.shared().items()}
    for scheduler in space.schedulers:
        own = space.distributions(scheduler)
        for key, axis in space.parameters[scheduler].items():
            name = parameter_name(scheduler, key)
            found[name] = (own[name], f"search.{scheduler}.{key} = {show_axis(axis)}")
    return found


def _place(name: str, lr: Axis) -> str:
    return f"search.lr = {show_axis(lr)}" if name == "lr" else f"what a {name} may be"


def _contains(axis: BaseDistribution, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    if isinstance(axis, CategoricalDistribution):
        return value in axis.choices
    assert isinstance(axis, (FloatDistribution, IntDistribution))
    whole = isinstance(axis, FloatDistribution) or value == int(value)
    return whole and axis.low <= value <= axis.high
