"""The code that a person pastes into her own training script."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lrsearch.errors import InputError
from lrsearch.sampling.space import Settings, settings_from
from lrsearch.sampling.suggest import stepped
from lrsearch.storage.attributes import HORIZON, HORIZON_UNIT, PARAMETER_GROUPS, STEP_UPDATES
from lrsearch.study.contestants import training_of
from lrsearch.study_file.applied import applied
from lrsearch.study_file.model import Definition
from lrsearch.training import optimizers

WIDTH = 80
"""Columns of a terminal."""


@dataclass(frozen=True)
class Steps:
    """How a trial's scheduler was stepped.

    Attributes:
        horizon: How often; None where that is not stored.
        unit: After what, in a training loop of one's own: ``epoch`` or ``update``; None if it did not say.
        updates: Updates of an epoch, where a warm-up counts those; 1 where nothing is stored about it.
        grouped: Whether the task has parameter groups of its own.
    """

    horizon: int | None = None
    unit: Literal["epoch", "update"] | None = None
    updates: int = 1
    grouped: bool = False

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> Steps:
        """What a trial's attributes say.

        Args:
            attributes: Its user attributes; whoever wrote them.
        """
        horizon, updates = (_counted(attributes.get(name)) for name in (HORIZON, STEP_UPDATES))
        unit = attributes.get(HORIZON_UNIT)
        grouped = attributes.get(PARAMETER_GROUPS) is True
        return cls(horizon, unit if unit in ("epoch", "update") else None, updates or 1, grouped)


def code(
    definition: Definition | None, params: Mapping[str, Any], steps: Steps, *, maximise: bool = False
) -> str | None:  # fmt: skip
    """Lines of torch code that train a ``model`` with a trial's settings.

    Args:
        definition: The study's definition; None for one that lrsearch did not create, whose optimizer is not known.
        params: The trial's Optuna parameters.
        steps: How its scheduler was stepped.
        maximise: Whether a larger metric is better; `plateau` waits for it.

    Returns:
        The code, with all digits; None if the trial or the study does not say enough to write it.
    """
    if steps.horizon is None:
        return None
    try:
        settings = settings_from(params)
    except (KeyError, TypeError, ValueError, InputError):
        return None
    # In a loop of one's own a family's steps are what that loop counts.
    where = stepped(steps.unit, steps.horizon) if definition is None else None
    if definition is not None and definition.command is not None and definition.command.updates_per_epoch is None:
        where = stepped("epoch", steps.horizon)
    if definition is not None and settings.schedule.unit == "evaluation":
        where = definition.training.evaluated
    optimizer = f"# `optimizer` is that of your own training loop, with lr={settings.lr!r}"
    if definition is not None and definition.command is None:
        optimizer = _optimizer(definition, params, settings, grouped=steps.grouped)
    schedule = settings.schedule.directed(maximise)
    made = schedule.code(settings.lr, steps.horizon, updates=steps.updates, where=where)
    lines = f"{optimizer}\n{made}".split("\n")
    imported = sorted({"import torch", *(line for line in lines if line.startswith("import "))})
    rest = [line for line in lines if line not in imported]
    return "\n".join([*imported, "", *(part for line in rest for part in folded(line))])


def _optimizer(definition: Definition, params: Mapping[str, Any], settings: Settings, *, grouped: bool) -> str:
    """The optimizer's line, below what else of the trial was searched for."""
    own = applied(definition, settings.further)
    remarks = []
    if "batch_size" in definition.search.options.training:
        remarks = [f"# batches of {own.training.batch_size} rows"]
    options = ", ".join(f"{key}={own.task.options[key]!r}" for key in definition.search.options.task)
    remarks += [f"# `model` is that of task {own.task.name} with {options}"] if options else []
    training = training_of(own.training, params)
    return "\n".join([*remarks, optimizers.code(training, settings.lr, grouped=grouped)])


def _counted(value: object) -> int | None:
    """A stored count; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 1:
        return None
    return int(value)


def folded(line: str) -> list[str]:
    """A line of code in lines that fit a terminal, where it is a call or an argument list that can be folded.

    Args:
        line: Code without strings in it.
    """
    if len(line) <= WIDTH or line.lstrip().startswith("#"):
        return [line]
    call = re.fullmatch(r"(\w+ = [\w.]+\()(.*)\)", line)
    if call is not None:
        return [call[1], *folded(f"    {call[2]},"), ")"]
    first, comma, rest = line.partition(", ")
    return [line] if not comma else [f"{first},", *folded(f"    {rest}")]
