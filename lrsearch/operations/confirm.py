"""Confirm a study: train its finalists on fresh seeds."""

from __future__ import annotations

import logging

from lrsearch.operations.display import Display
from lrsearch.operations.run_options import RunOptions
from lrsearch.operations.workers import joined, train
from lrsearch.study import confirmation, status
from lrsearch.study import open as opening
from lrsearch.study.stored import StoredStudy

logger = logging.getLogger(__name__)


def confirm(
    stored: StoredStudy, options: RunOptions, display: Display, top: int | None = None, seeds: int | None = None
) -> None:
    """Train what a study's confirmation lacks.

    Args:
        stored: The study.
        options: How to train, and where.
        display: Shows how it goes.
        top: Finalists from the search; None for what the study says.
        seeds: Fresh seeds; None for what the study says.

    Raises:
        InputError: The study has nothing to confirm, or this process may not train it.
        InterruptedRunError: A signal came; asked again, it goes on.
        LrsearchError: Trials or workers failed.
    """
    with joined(options.cluster, stored) as cluster:
        for linked in confirmation.prepare(stored, top, seeds):
            logger.info("Training %s: %s.", linked.name, _purpose(linked))
            train(linked, opening.task_of(linked), options, display, cluster)


def is_wanted(stored: StoredStudy) -> bool:
    """Whether a study's file asks for a confirmation, and its search is over and has found something.

    Args:
        stored: The study.
    """
    if stored.definition is None or stored.definition.confirm is None:
        return False
    return status.count(stored).is_done and status.best(stored) is not None


def _purpose(linked: StoredStudy) -> str:
    assert linked.definition is not None
    if linked.is_confirmation:
        return f"finalists on {len(linked.definition.training.seeds)} fresh seeds"
    return "constant rates, which the search did not have"
