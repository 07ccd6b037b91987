"""The code that a person pastes into her own training script."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

from lrsearch.errors import InputError
from lrsearch.report.frames import StudyFrames
from lrsearch.search.space import Settings, settings_from
from lrsearch.training import optimizers


def code(frames: StudyFrames, trial: Mapping[Hashable, Any]) -> str | None:
    """Lines of torch code that train a ``model`` with a trial's settings.

    Args:
        frames: The study.
        trial: A row of its trials frame.

    Returns:
        The code, with all digits; None if the trial or the study does not say enough to write it.
    """
    settings, horizon = _settings(trial["params"]), _horizon(trial)
    if settings is None or horizon is None or frames.definition is None:
        return None
    optimizer = optimizers.code(frames.definition.training, settings.lr)
    return f"import torch\n\n{optimizer}\n{settings.schedule.code(settings.lr, horizon)}"


def _settings(params: Mapping[str, Any]) -> Settings | None:
    """The settings of a trial; None where the parameters are not ours, or not of a scheduler we know."""
    try:
        return settings_from(params)
    except (KeyError, TypeError, ValueError, InputError):
        return None


def _horizon(trial: Mapping[Hashable, Any]) -> int | None:
    """The steps that a trial's schedule spans, in its family's unit."""
    return int(trial["horizon"]) if math.isfinite(trial["horizon"]) and trial["horizon"] > 0 else None
