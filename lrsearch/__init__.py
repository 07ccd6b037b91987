"""lrsearch: which learning rate, and which schedule, should I use, and how sure can I be?"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from lrsearch.version import __version__

if TYPE_CHECKING:
    from lrsearch import schedules
    from lrsearch.api.plots import plot_run, plot_runs, plot_schedules, plot_study
    from lrsearch.api.runs import TrainingRun, resume, start, train
    from lrsearch.api.studies import best_settings, confirm_study, create_study, load_frames, run_study, write_report
    from lrsearch.errors import InputError, LrsearchError
    from lrsearch.sampling.suggest import SuggestedSchedule, suggest_schedule
    from lrsearch.tasks.definition import task
    from lrsearch.tasks.task import Task

__all__ = [
    "InputError",
    "LrsearchError",
    "SuggestedSchedule",
    "Task",
    "TrainingRun",
    "__version__",
    "best_settings",
    "confirm_study",
    "create_study",
    "load_frames",
    "plot_run",
    "plot_runs",
    "plot_schedules",
    "plot_study",
    "resume",
    "run_study",
    "schedules",
    "start",
    "suggest_schedule",
    "task",
    "train",
    "write_report",
]

_NAMES = {
    "lrsearch.api.plots": ("plot_run", "plot_runs", "plot_schedules", "plot_study"),
    "lrsearch.api.runs": ("TrainingRun", "resume", "start", "train"),
    "lrsearch.api.studies": (
        "best_settings",
        "confirm_study",
        "create_study",
        "load_frames",
        "run_study",
        "write_report",
    ),
    "lrsearch.errors": ("InputError", "LrsearchError"),
    "lrsearch.sampling.suggest": ("SuggestedSchedule", "suggest_schedule"),
    "lrsearch.tasks.definition": ("task",),
    "lrsearch.tasks.task": ("Task",),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name at its first use: `import lrsearch` must not wait for torch."""
    if name == "schedules":
        return importlib.import_module("lrsearch.schedules")
    if name not in _HOME:
        raise AttributeError(f"module 'lrsearch' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
