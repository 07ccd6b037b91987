"""Work for a storage: take trials from all its open studies, for as long as somebody wants."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lrsearch.launch.cores import side_by_side
from lrsearch.launch.gpus import to_share
from lrsearch.operations.run_options import RunOptions
from lrsearch.search.engines import Engines, Machine, environments
from lrsearch.search.worker import StudyWorker
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.retry import Patience
from lrsearch.study import open as opening
from lrsearch.training.engine import threads_of

logger = logging.getLogger(__name__)


@contextmanager
def work(
    url: str, names: Sequence[str], options: RunOptions, interruption: Interruption | None = None
) -> Iterator[StudyWorker]:
    """A worker whose events are consumed inside the block.

    Args:
        url: The storage, which is made if it is not there.
        names: The only studies to serve; all where it is empty.
        options: How to train; this process is one of `one_of` workers.
        interruption: Where signals are looked for, if they are caught already.

    Yields:
        The worker; trials are trained while its `events` are consumed.

    Raises:
        InputError: A study of `names` is not there, or its task is not known here.
        StorageFailedError: The storage's server did not answer in time.
    """
    own = Interruption()
    workers = options.one_of or 1
    # A worker of several sees one graphics processor, and shares the cores with the others.
    on_gpu = options.where.startswith("cuda") or to_share(options.where)
    number = 1 if on_gpu else side_by_side(options.threads, workers)
    machine = Machine(options.device, options.threads, environments([None] * number), options.load)
    with (
        threads_of(options.threads),
        own.caught() if interruption is None else _as_it_is(interruption) as caught,
        Engines(options.engine, machine, logger.warning) as engines,
    ):
        opening.bring_in(options.load)
        yield StudyWorker(
            open_storage(url, create=True, patience=Patience(logger.warning)), names, caught, logger.warning,
            engines=engines, grace=options.grace, workers=workers,
        )  # fmt: skip


@contextmanager
def _as_it_is(interruption: Interruption) -> Iterator[Interruption]:
    yield interruption
