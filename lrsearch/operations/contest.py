"""Train what people do without a search, on the seeds of a study's confirmation."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING

from lrsearch.operations.display import Display
from lrsearch.operations.run_options import RunOptions
from lrsearch.operations.workers import joined, train
from lrsearch.study import contest, control
from lrsearch.study import open as opening
from lrsearch.study.gained import by_reason
from lrsearch.study.stored import StoredStudy

if TYPE_CHECKING:
    from lrsearch.launch.ray.cluster import Cluster
    from lrsearch.search.engines import Engines

logger = logging.getLogger(__name__)


def train_contestants(
    stored: StoredStudy, options: RunOptions, display: Display, engines: Engines, cluster: Cluster | None = None
) -> None:
    """Train the contestants that a study lacks, if it is to have any and there is time left.

    Args:
        stored: The study.
        options: How to train, and where.
        display: Shows how it goes.
        engines: Those of the run.
        cluster: The cluster that the options name, where it is joined already; a process joins one once at a time.

    Raises:
        InputError: This process may not train them.
        InterruptedRunError: A signal came; asked again, it goes on.
        LrsearchError: Trials or workers failed.
    """
    if options.timeout == 0 or not contest.is_wanted(stored):
        return
    from lrsearch.search import contest as preparation  # torch takes a while
    from lrsearch.training.engine import threads_of

    with threads_of(options.threads):
        prepared = preparation.prepare(stored, options.where)
    decided = contest.decision(stored)
    assert decided is not None
    for reason, names in by_reason(decided.left_out).items():
        logger.info("Left out: %s: %s.", ", ".join(names), reason)
    if not prepared:
        return
    logger.info("Training what people do without a search: %s; about %.0f s.", ", ".join(decided.rates),
                decided.seconds)  # fmt: skip
    with joined(options.cluster, stored) if cluster is None else nullcontext(cluster) as there:
        for linked in prepared:
            control.stop(linked, False)
            train(linked, opening.task_of(linked), options, display, there, engines)
