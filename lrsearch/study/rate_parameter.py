"""Which parameter plays the learning rate in a study of another tool, and its trials with that one called ``lr``."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import FrozenTrial

from lrsearch.errors import input_error, nearest
from lrsearch.sampling.space import LR_NAMES

FLAG = "--lr-parameter"
LR = LR_NAMES[0]
LONG = re.compile(r"(^|[^a-z])lr([^a-z]|$)|learning[^a-z]?rate|step[^a-z]?size|(^|[^a-z])eta([^a-z0-9]|$)")
"""How a name says that it is a learning rate: ``lr0``, ``optimizer.lr``, ``learning_rate_init``, ``learningRate``."""


def chosen(trials: Sequence[FrozenTrial], wanted: str | None, source: str) -> str | None:
    """The parameter that plays the learning rate.

    Args:
        trials: The study's.
        wanted: What a person says; by default ``lr`` or ``learning_rate``, or the one float parameter on a log scale
            whose name says so.
        source: What to call the study in messages.

    Returns:
        Its name; None if there is none.

    Raises:
        InputError: The study has no such parameter, it is no float, or several may be meant.
    """
    floats = {name for name, axis in _axes(trials).items() if isinstance(axis, FloatDistribution)}
    if wanted is not None:
        if wanted not in floats:
            there = "is no float" if wanted in _axes(trials) else "the study has no such parameter"
            rule = f"{there}; its float parameters are {', '.join(sorted(floats)) or 'none'}"
            raise input_error(source, rule, key=FLAG, received=f'"{wanted}"', nearest=nearest(wanted, floats))
        return wanted
    found = candidates(trials)
    if len(found) > 1:
        rule = f"{', '.join(found)} may each be the learning rate; say which: {FLAG} {found[0]}"
        raise input_error(source, rule)
    return found[0] if found else None


def varied(trials: Sequence[FrozenTrial], wanted: str | None, source: str) -> str | None:
    """The parameter that plays the learning rate, where other rates than those of the study can be tried.

    Args:
        trials: The study's.
        wanted: As in `chosen`.
        source: As in `chosen`.

    Returns:
        Its name; None if nobody says which of several it is, or its values lie on a grid.

    Raises:
        InputError: A person names one that is no float parameter of the study.
    """
    found = candidates(trials) if wanted is None else [chosen(trials, wanted, source)]
    axis = _axes(trials).get(found[0] or "") if len(found) == 1 else None
    return found[0] if isinstance(axis, FloatDistribution) and axis.step is None else None


def candidates(trials: Sequence[FrozenTrial]) -> list[str]:
    """Parameters that may be the learning rate, in the order of their names; one, if its name leaves no doubt.

    Args:
        trials: The study's.
    """
    axes = _axes(trials)
    if known := [name for name in LR_NAMES if name in axes]:
        return known[:1]
    logs = (name for name, axis in axes.items() if isinstance(axis, FloatDistribution) and axis.log)
    return sorted(name for name in logs if LONG.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))


def renamed(trials: Sequence[FrozenTrial], name: str | None) -> list[FrozenTrial]:
    """Trials in which the parameter is called ``lr``.

    Args:
        trials: The study's; they stay as they are.
        name: The parameter; None changes nothing.
    """
    return list(trials) if name in (None, LR) else [_renamed(trial, name) for trial in trials]


def with_lr(params: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    """Settings in which the parameter has a name that reports know. Another one of that name becomes ``other lr``.

    Args:
        params: By Optuna's names.
        name: The parameter; None changes nothing.
    """
    if name is None or name not in params or next((known for known in LR_NAMES if known in params), None) == name:
        return dict(params)
    others = {f"other {key}" if key in LR_NAMES else key: value for key, value in params.items() if key != name}
    return {LR: params[name], **others}


def _renamed(trial: FrozenTrial, name: str | None) -> FrozenTrial:
    made = copy.copy(trial)
    axes = with_lr(trial.distributions, name)
    made._distributions, made._params = axes, with_lr(trial.params, name)
    return made


def _axes(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    return {name: axis for trial in trials for name, axis in trial.distributions.items()}
