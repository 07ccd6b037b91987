"""A suggested schedule over what a trainer will really do."""

from __future__ import annotations

import importlib
import math
import warnings
from dataclasses import replace
from types import ModuleType

from optuna.trial import BaseTrial, Trial

from lrsearch.errors import LrsearchWarning, input_error
from lrsearch.sampling.suggest import SuggestedSchedule
from lrsearch.storage.attributes import HORIZON, HORIZON_UNIT


def fitted(schedule: SuggestedSchedule, trial: BaseTrial | None, *, epochs: int, updates: int) -> SuggestedSchedule:
    """The schedule with the horizon of a run, in the unit in which its type steps; it is noted with the trial.

    Types that step after every batch span the run's updates, others its epochs. A horizon that was suggested and that
    is neither is replaced, with a warning.

    Args:
        schedule: From `lrsearch.suggest_schedule`.
        trial: Whose it is; None if nothing is to be noted.
        epochs: Epochs of the run.
        updates: Updates of the whole run, when gradients are accumulated and devices share the rows.
    """
    own = "update" if schedule.schedule.unit == "batch" else "epoch"
    horizon = updates if own == "update" else epochs
    said = {"epoch": (epochs,), "update": (updates,)}.get(schedule.unit or "", (epochs, updates))
    if schedule.horizon not in said:
        counted = f"{schedule.unit}s" if schedule.unit else "steps"
        warnings.warn(
            f"the schedule was asked for over {schedule.horizon} {counted}, but the trainer will make {updates} "
            f"updates in {epochs} epochs: {horizon} {own}s are taken",
            LrsearchWarning,
            stacklevel=3,
        )
    if isinstance(trial, Trial):
        trial.set_user_attr(HORIZON, horizon)
        trial.set_user_attr(HORIZON_UNIT, own)
    return replace(schedule, horizon=horizon, unit="update" if own == "update" else "epoch")


def epochs_of(updates: float, per_epoch: int, source: str) -> tuple[int, int]:
    """Epochs and updates of a run that makes so many updates.

    Args:
        updates: Of the whole run.
        per_epoch: Of an epoch.
        source: Whose run, for messages.

    Raises:
        InputError: The run has no end.
    """
    if not math.isfinite(updates) or updates < 1:
        raise input_error(source, "the run has no end, so no schedule can span it: set a number of epochs or steps")
    return math.ceil(updates / max(1, per_epoch)), int(updates)


def framework(*names: str) -> ModuleType:
    """The first of some modules that is installed.

    Args:
        names: Modules, best first.

    Raises:
        InputError: None is.
    """
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
    package = names[0].split(".")[0]
    raise input_error("integrations", f"needs {package}, which is not installed: pip install {package}")
