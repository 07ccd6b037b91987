"""`lrsearch study run --cluster`: the same worker as everywhere, on the machines of a Ray cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lrsearch.cli.output import say

if TYPE_CHECKING:
    from lrsearch.launch.ray.cluster import Cluster
    from lrsearch.operations.run_options import RunOptions
    from lrsearch.study.stored import StoredStudy


@contextmanager
def joined(address: str | None, storage: str) -> Iterator[Cluster | None]:
    """A cluster for as long as the block lasts; None where none was asked for.

    Args:
        address: What `--cluster` says.
        storage: The storage's URL.
    """
    if address is None:
        yield None
        return
    from lrsearch.launch.ray import cluster

    with cluster.joined(address, storage) as found:
        yield found


def launch(cluster: Cluster, stored: StoredStudy, storage: str, workers: int | None, options: RunOptions) -> None:
    """Run a study on a cluster, and show how it goes.

    Args:
        cluster: Where.
        stored: The study.
        storage: Its storage's URL.
        workers: How many workers; by default as many as suit the cluster.
        options: How to train.
    """
    from lrsearch.cli.progress import watch
    from lrsearch.launch.ray import code_bundle
    from lrsearch.launch.ray.actor import Assignment
    from lrsearch.signals import Interruption
    from lrsearch.storage.rdb import absolute
    from lrsearch.storage.retry import Patience
    from lrsearch.study import status

    code = code_bundle.pack(options.modules)
    ends = None if options.timeout is None else time.time() + options.timeout
    patience = Patience(say)

    def assignment(workers: int) -> Assignment:
        flags = ("--quiet", *options.training())
        return Assignment(stored.name, absolute(storage), flags, code, workers, options.threads, ends)

    def needed() -> bool:
        return patience(lambda: status.count(stored)).running > 0

    with Interruption().caught() as interruption:
        crew = cluster.crew(assignment, workers, options.threads, options.gpus, interruption, say, needed)
        watch(crew.watch(), stored, quiet=options.quiet)
