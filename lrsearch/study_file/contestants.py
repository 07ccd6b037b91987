"""``[confirm] contestants``: what people do without a search, by name, and what may be wrong with such a list."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from lrsearch.errors import Fault, nearest
from lrsearch.extras import install
from lrsearch.study_file.faults import show
from lrsearch.study_file.model import ConfirmSection

NAMES = ("default_rate", "lr_find", "one_cycle", "prodigy", "schedule_free_adamw", "schedule_free_sgd")
"""In the order in which they are trained; see `study.contestants`."""
PACKAGES = {"prodigy": "prodigyopt", "schedule_free_adamw": "schedulefree", "schedule_free_sgd": "schedulefree"}
"""Contestant -> the package that has its optimizer."""
EXTRA = "contestants"
"""The extra of lrsearch that brings these packages."""


def is_installed(name: str) -> bool:
    """Whether the package that a contestant needs is there. Imports nothing.

    Args:
        name: One of `NAMES`.
    """
    return name not in PACKAGES or importlib.util.find_spec(PACKAGES[name]) is not None


def missing(name: str) -> str:
    """What to do where the package of a contestant is not there.

    Args:
        name: One of `PACKAGES`.
    """
    return f"needs the package {PACKAGES[name]}, which is not installed; {install(EXTRA)}"


def faults(section: ConfirmSection, *, runs_command: bool) -> Iterator[Fault]:
    """What is wrong with the contestants of a section of the right shape.

    Args:
        section: The file's ``[confirm]``.
        runs_command: Whether the study runs a command instead of training a task.
    """
    wanted = section.contestants or []
    if wanted and not section.top:
        rule = "are compared with what a confirmation recommends, and top = 0 wants none: leave one of them out"
        yield Fault("confirm.contestants", rule, show(wanted))
    if wanted and runs_command:
        rule = "train the task with other optimizers and rates, and a study with a command has none: leave them out"
        yield Fault("confirm.contestants", rule, show(wanted))
    for place, name in enumerate(wanted):
        key = f"confirm.contestants[{place}]"
        if name not in NAMES:
            close = nearest(name, NAMES)
            rule = "unknown contestant" + ("" if close else f"; there are {', '.join(NAMES)}")
            yield Fault(key, rule, show(name), close)
        elif name in wanted[:place]:
            yield Fault(key, "stands there twice", show(name))
        elif not is_installed(name):
            yield Fault(key, missing(name), show(name))
