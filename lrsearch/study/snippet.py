"""The code that a person pastes into her own training script."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from lrsearch.errors import InputError
from lrsearch.sampling.space import settings_from
from lrsearch.study_file.model import Definition
from lrsearch.training import optimizers

WIDTH = 80
"""Columns of a terminal."""


def code(
    definition: Definition | None, params: Mapping[str, Any], horizon: float | None, *, maximise: bool = False
) -> str | None:
    """Lines of torch code that train a ``model`` with a trial's settings.

    Args:
        definition: The study's definition; None for one that lrsearch did not create, whose optimizer is not known.
        params: The trial's Optuna parameters.
        horizon: Steps that its schedule spans, in the family's unit; None or NaN where it is not stored.
        maximise: Whether larger values of the metric are better.

    Returns:
        The code, with all digits; None if the trial or the study does not say enough to write it.
    """
    if horizon is None or not (math.isfinite(horizon) and horizon > 0):
        return None
    try:
        settings = settings_from(params)
    except (KeyError, TypeError, ValueError, InputError):
        return None
    optimizer = f"# `optimizer` is that of your own training loop, with lr={settings.lr!r}"
    if definition is not None:
        optimizer = optimizers.code(definition.training, settings.lr)
    lines = f"{optimizer}\n{settings.schedule.directed(maximise).code(settings.lr, int(horizon))}".split("\n")
    return "\n".join(["import torch", "", *(part for line in lines for part in folded(line))])


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
