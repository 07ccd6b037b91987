"""Run a study, from a file or a name to its last trial, and confirm what it found unless its file says no."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from lrsearch.operations.confirm import confirm
from lrsearch.operations.contest import train_contestants
from lrsearch.operations.display import Display, NoDisplay
from lrsearch.operations.run_options import RunOptions
from lrsearch.operations.workers import engines_of, joined, train
from lrsearch.storage.choice import patient
from lrsearch.storage.rdb import DEFAULT_URL
from lrsearch.study import budget, confirmation, control, failed_cells, recommendation
from lrsearch.study import open as opening
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import load


def run(
    study: StoredStudy | str,
    options: RunOptions,
    *,
    url: str = DEFAULT_URL,
    trials: int | None = None,
    display: Display | None = None,
) -> StoredStudy:
    """Train until a study has all its trials, then confirm it unless its file or the options say no.

    Args:
        study: A study, its name, or a study file (a path ending in ``.toml``), which is created if it is not there.
        options: How to train, and where.
        url: The storage, where `study` is no study.
        trials: The study's trials in all, instead of its own number.
        display: Shows how it goes; by default nothing does.

    Returns:
        The study.

    Raises:
        InputError: There is no such study, it may not be trained here, or the options are wrong.
        InterruptedRunError: A signal came; the settings of trials under way wait to be run again.
        LrsearchError: Trials or workers failed, or the storage did.
    """
    if isinstance(study, StoredStudy):
        stored = study
        opening.bring_in(options.load)
    else:
        # Whoever started this process has reached the storage: it will come back.
        stored = opening.find_or_create(study, url, options.load, patient() if options.one_of else None)
        options = options.with_code(_own_code(study, stored))
    task = opening.task_of(stored)
    if trials is not None:
        stored = budget.set_budget(stored, trials)
    if not options.one_of:
        control.stop(stored, False)
    display, began = display or NoDisplay(), time.monotonic()
    with engines_of(options) as engines:
        with joined(options.cluster, stored) as cluster:
            train(stored, task, options, display, cluster, engines)
        if options.one_of or stored.origin is not None:
            return stored
        failed_cells.check(stored)
        if options.confirm and confirmation.is_wanted(stored):
            confirm(stored, options.left(time.monotonic() - began), display, engines=engines)
            return stored
        if options.confirm:
            train_contestants(stored, options.left(time.monotonic() - began), display, engines)
    recommendation.keep(stored)
    return stored


def _own_code(study: str, stored: StoredStudy) -> Sequence[str]:
    """The files and modules that a study file names, for processes that know only the study's name."""
    named = load.sources(stored.definition.document()) if stored.definition and study.endswith(".toml") else []
    return [str((Path(study).parent / own).resolve()) if own.endswith(".py") else own for own in named]
