"""Confirm a study: train its finalists on fresh seeds."""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

from lrsearch.operations.contest import train_contestants
from lrsearch.operations.display import Display
from lrsearch.operations.run_options import RunOptions
from lrsearch.operations.workers import engines_of, joined, train
from lrsearch.study import confirmation, control, recommendation, status
from lrsearch.study import open as opening
from lrsearch.study.stored import StoredStudy

if TYPE_CHECKING:
    from lrsearch.search.engines import Engines

WORTH_TELLING = 30.0
"""Seconds from which on it is said beforehand how long a confirmation takes."""
logger = logging.getLogger(__name__)


def confirm(
    stored: StoredStudy,
    options: RunOptions,
    display: Display,
    top: int | None = None,
    seeds: int | None = None,
    engines: Engines | None = None,
) -> None:
    """Train what a study's confirmation lacks.

    Args:
        stored: The study.
        options: How to train, and where.
        display: Shows how it goes.
        top: Finalists from the search; None for what the study says.
        seeds: Exactly so many fresh seeds; None for what the study says, or as many as it takes.
        engines: Those of the run that this belongs to; by default it has its own.

    Raises:
        InputError: The study has nothing to confirm, or this process may not train it.
        InterruptedRunError: A signal came; asked again, it goes on.
        LrsearchError: Trials or workers failed.
    """
    began = time.monotonic()
    own = engines_of(options) if engines is None else nullcontext(engines)
    with joined(options.cluster, stored) as cluster, own as theirs:
        linked = confirmation.prepare(stored, top, seeds)
        exact = seeds or (stored.definition and stored.definition.confirm.seeds)
        many = f"on {exact} fresh seeds" if exact else "on as many fresh seeds as it takes"
        logger.info("Training %s: finalists %s%s.", linked.name, many, _cost(stored, linked))
        control.stop(linked, False)
        train(linked, opening.task_of(linked), options, display, cluster, theirs)
        train_contestants(stored, options.left(time.monotonic() - began), display, theirs, cluster)
    recommendation.keep(stored)


def _cost(stored: StoredStudy, linked: StoredStudy) -> str:
    """What it will cost, about, by the pace of the search, where that is long enough to be told."""
    assert linked.definition is not None
    trials = stored.trials()
    began = [trial.datetime_start for trial in trials if trial.datetime_start]
    ended = [trial.datetime_complete for trial in trials if trial.datetime_complete]
    epochs = status.epochs_trained(trials, stored.evaluations_per_epoch)
    if not epochs or not began or not ended:
        return ""
    runs = max(confirmation.runs(stored.definition) if stored.definition else 0, status.count(linked).waiting)
    left = runs * linked.definition.training.epochs
    seconds = (max(ended) - min(began)).total_seconds() / epochs * left
    return f", about {duration(seconds)}" if seconds > WORTH_TELLING else ""


def duration(seconds: float) -> str:
    """Seconds in words, such as ``4 min``.

    Args:
        seconds: At least one.
    """
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
