"""lrsearch: which learning rate, and which schedule, should I use, and how sure can I be?

What is in `__all__` is public; everything else may change from one version to the next.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING

from lrsearch.version import __version__

if TYPE_CHECKING:
    from lrsearch import schedules
    from lrsearch.api.own_loop import confirm, seed
    from lrsearch.api.plots import plot_run, plot_runs, plot_schedules, plot_study
    from lrsearch.api.runs import TrainingRun, resume, start, train
    from lrsearch.api.studies import (
        best_settings,
        confirm_study,
        create_study,
        export_study,
        load_frames,
        run_study,
        run_worker,
        write_report,
    )
    from lrsearch.errors import Fault, InputError, InterruptedRunError, LrsearchError, LrsearchWarning
    from lrsearch.pruning.extrapolation import StratifiedExtrapolation
    from lrsearch.pruning.halving import StratifiedHalving
    from lrsearch.report.frames import StudyFrames
    from lrsearch.sampling.suggest import SuggestedSchedule, suggest_schedule
    from lrsearch.schedules.base import Schedule
    from lrsearch.study.comparison import Comparison, Verdict
    from lrsearch.study.contender import Baseline, Contender
    from lrsearch.study.crossed import Interval
    from lrsearch.study.evidence import Evidence
    from lrsearch.study.rate_valley import OtherRate, RateValley, Standing
    from lrsearch.study.recommended_settings import BestSettings, ConstantRate, Recommendation
    from lrsearch.study.snippet import Steps
    from lrsearch.study.stored import StoredStudy
    from lrsearch.study_file.axes import Choices, Range
    from lrsearch.study_file.model import Definition
    from lrsearch.tasks.definition import TaskDefinition, task
    from lrsearch.tasks.task import Task
    from lrsearch.training.definition import RunDefinition
    from lrsearch.training.optimizer_definition import optimizer
    from lrsearch.training.outcome import Outcome
    from lrsearch.training.run import Before, EpochRecord

_NAMES = {
    "lrsearch.api.own_loop": ("confirm", "seed"),
    "lrsearch.api.plots": ("plot_run", "plot_runs", "plot_schedules", "plot_study"),
    "lrsearch.api.runs": ("TrainingRun", "resume", "start", "train"),
    "lrsearch.api.studies": (
        "best_settings",
        "confirm_study",
        "create_study",
        "export_study",
        "load_frames",
        "run_study",
        "run_worker",
        "write_report",
    ),
    "lrsearch.errors": ("Fault", "InputError", "InterruptedRunError", "LrsearchError", "LrsearchWarning"),
    "lrsearch.pruning.extrapolation": ("StratifiedExtrapolation",),
    "lrsearch.pruning.halving": ("StratifiedHalving",),
    "lrsearch.study.crossed": ("Interval",),
    "lrsearch.study.comparison": ("Comparison", "Verdict"),
    "lrsearch.study.contender": ("Baseline", "Contender"),
    "lrsearch.study.evidence": ("Evidence",),
    "lrsearch.report.frames": ("StudyFrames",),
    "lrsearch.sampling.suggest": ("SuggestedSchedule", "suggest_schedule"),
    "lrsearch.schedules.base": ("Schedule",),
    "lrsearch.study.rate_valley": ("OtherRate", "RateValley", "Standing"),
    "lrsearch.study.recommended_settings": ("BestSettings", "ConstantRate", "Recommendation"),
    "lrsearch.study.snippet": ("Steps",),
    "lrsearch.study.stored": ("StoredStudy",),
    "lrsearch.study_file.axes": ("Choices", "Range"),
    "lrsearch.study_file.model": ("Definition",),
    "lrsearch.tasks.definition": ("TaskDefinition", "task"),
    "lrsearch.tasks.task": ("Task",),
    "lrsearch.training.definition": ("RunDefinition",),
    "lrsearch.training.run": ("Before", "EpochRecord"),
    "lrsearch.training.optimizer_definition": ("optimizer",),
    "lrsearch.training.outcome": ("Outcome",),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}
__all__ = [
    "Baseline",
    "Before",
    "BestSettings",
    "Choices",
    "Comparison",
    "ConstantRate",
    "Contender",
    "Definition",
    "EpochRecord",
    "Evidence",
    "Fault",
    "InputError",
    "InterruptedRunError",
    "Interval",
    "LrsearchError",
    "LrsearchWarning",
    "OtherRate",
    "Outcome",
    "Range",
    "RateValley",
    "Recommendation",
    "RunDefinition",
    "Schedule",
    "Standing",
    "Steps",
    "StoredStudy",
    "StratifiedExtrapolation",
    "StratifiedHalving",
    "StudyFrames",
    "SuggestedSchedule",
    "Task",
    "TaskDefinition",
    "TrainingRun",
    "Verdict",
    "__version__",
    "best_settings",
    "confirm",
    "confirm_study",
    "create_study",
    "export_study",
    "load_frames",
    "optimizer",
    "plot_run",
    "plot_runs",
    "plot_schedules",
    "plot_study",
    "resume",
    "run_study",
    "run_worker",
    "schedules",
    "seed",
    "start",
    "suggest_schedule",
    "task",
    "train",
    "write_report",
]

# What a person should know goes to this logger. A library prints nothing: a program that wants to see it configures
# `logging`, as the command line does.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    """Import a public name at its first use: `import lrsearch` must not wait for torch."""
    if name == "schedules":
        return importlib.import_module("lrsearch.schedules")
    if name not in _HOME:
        raise AttributeError(f"module 'lrsearch' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
