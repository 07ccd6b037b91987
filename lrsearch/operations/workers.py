"""Who trains a study: this process, several on this machine, or the machines of a cluster."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from lrsearch import registry
from lrsearch.errors import InputError, input_error
from lrsearch.operations.display import Display
from lrsearch.operations.run_options import RunOptions
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import absolute
from lrsearch.study import command_output, confirmation, status
from lrsearch.study.stored import StoredStudy

if TYPE_CHECKING:
    from lrsearch.launch.ray.cluster import Cluster
    from lrsearch.search.engines import Engines
    from lrsearch.tasks.task import Task
    from lrsearch.training.engine import Engine

logger = logging.getLogger(__name__)


@contextmanager
def joined(address: str | None, stored: StoredStudy) -> Iterator[Cluster | None]:
    """A cluster for as long as the block lasts; None where none was asked for.

    Args:
        address: Where the cluster is.
        stored: The study; all machines must reach its storage.

    Raises:
        InputError: There is no such cluster, or its machines cannot reach the storage.
        LrsearchError: The cluster is out of reach.
    """
    if address is None:
        yield None
        return
    from lrsearch.launch.ray import cluster

    with cluster.joined(address, _url(stored)) as found:
        yield found


def engines_of(options: RunOptions) -> Engines:
    """The engines of a run, and the processes that they have; to be used as a context.

    Args:
        options: How to train, and where.

    Raises:
        InputError: The options do not fit this machine.
    """
    from lrsearch.launch.cores import side_by_side
    from lrsearch.launch.gpus import by_default, pins, to_share
    from lrsearch.search.engines import Engines, Machine, environments  # torch takes a while

    visible = to_share(options.where)
    number = 1 if options.one_of else options.workers
    if number is None and not visible:
        number = side_by_side(options.threads) if options.where != "cuda" else 1
    number = number or by_default(visible, options.gpus_per_worker)
    beside = environments(pins(visible, number, options.gpus_per_worker))
    machine = Machine(options.where, options.threads, beside, options.load)
    return Engines(options.engine, machine, logger.warning)


def train(
    stored: StoredStudy, task: Task, options: RunOptions, display: Display, cluster: Cluster | None, engines: Engines
) -> None:
    """Train a study until its budget is met, by as many workers as the options say.

    Args:
        stored: The study.
        task: What it trains.
        options: How to train, and where.
        display: Shows how it goes.
        cluster: The cluster that the options name, joined.
        engines: Those of the run.

    Raises:
        InputError: The options do not fit this machine, or a worker process could not find the task.
        InterruptedRunError: A signal came; the settings of trials under way wait to be run again.
        LrsearchError: Trials or workers failed.
    """
    if cluster is not None:
        _on_cluster(cluster, stored, options, display)
        return
    from lrsearch.training.engine import threads_of

    with threads_of(options.threads), Interruption().caught() as interruption:
        with interruption.open():
            chosen = engines.choice(stored, task)
        if options.engine == "auto":
            logger.info(chosen.line)
        pinned = _claimants(stored, options) if chosen.claims_alone else [None]
        if len(pinned) == 1:
            _here(stored, task, options, display, engines.make(chosen, stored, task), interruption)
            return
    _in_processes(stored, pinned, options, display)


def _claimants(stored: StoredStudy, options: RunOptions) -> Sequence[str | None]:
    """For each process that takes trials, the graphics processor that it sees; None where there is nothing to say."""
    from lrsearch.launch.gpus import by_default, pins, to_share

    visible = to_share(options.where)
    wanted = 1 if options.one_of else options.workers
    number = wanted or by_default(visible, options.gpus_per_worker)
    if number > 1 and (reason := _only_here(stored, options)):
        if wanted is not None:
            rule = f"{reason}; write it into a file and name that"
            raise input_error("study run", rule, received=f"{number} workers")
        logger.info("One process trains: %s.", reason)
        number = 1
    pinned = pins(visible, number, options.gpus_per_worker)
    if number > 1 and wanted is None:
        logger.info("%d workers, because there are GPUs for them; --workers 1 takes one.", number)
    return pinned


def _here(
    stored: StoredStudy,
    task: Task,
    options: RunOptions,
    display: Display,
    engine: Engine,
    interruption: Interruption,
) -> None:
    from lrsearch.search.runner import Runner

    runner = Runner(
        stored, task, engine, interruption, timeout=options.timeout, grace=options.grace,
        workers=options.one_of or 1, go_on=partial(confirmation.next_of, stored), say=logger.warning,
    )  # fmt: skip
    display.follow(stored, runner.events())


def _in_processes(stored: StoredStudy, pinned: Sequence[str | None], options: RunOptions, display: Display) -> None:
    from lrsearch.launch.processes import LRSEARCH
    from lrsearch.launch.supervisor import Supervisor

    command = [*LRSEARCH, "study", "run", stored.name, *options.arguments()]
    command += ["--one-of", str(len(pinned)), "--quiet"]
    # The storage travels in the environment: its password must not show in a process list.
    threads = str(options.threads)
    if stored.definition is not None and stored.definition.command is not None:
        logger.info("The output of each run is kept in %s.", command_output.folder(stored))
    shared = {"LRSEARCH_STORAGE": _url(stored), "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    own = [{} if device is None else {"CUDA_VISIBLE_DEVICES": device} for device in pinned]
    with Interruption().caught() as interruption:
        supervisor = Supervisor(command, [{**shared, **visible} for visible in own], interruption, logger.warning)
        display.watch(stored, supervisor.watch())


def _on_cluster(cluster: Cluster, stored: StoredStudy, options: RunOptions, display: Display) -> None:
    from lrsearch.launch.ray import code_bundle
    from lrsearch.launch.ray.actor import Assignment

    if reason := _only_here(stored, options):
        raise input_error("study run", f"{reason}; write it into a file and name that", received=options.cluster)
    code = code_bundle.pack(options.load)
    ends = None if options.timeout is None else time.time() + options.timeout
    url = _url(stored)

    def assignment(workers: int) -> Assignment:
        flags = ("--quiet", *options.training())
        return Assignment(stored.name, absolute(url), flags, code, workers, options.threads, ends)

    def needed() -> bool:
        return status.count(stored).running > 0

    with Interruption().caught() as interruption:
        workers = cluster.start_workers(
            assignment, options.workers, options.threads, options.gpus_per_worker, interruption, logger.warning, needed
        )
        display.watch(stored, workers.watch())


def _only_here(stored: StoredStudy, options: RunOptions) -> str | None:
    """Why no other process could train the study's task; None if one can."""
    assert stored.definition is not None
    if stored.url is None:
        return "the study is in this process's memory"
    name = stored.definition.task.name
    if stored.definition.command is not None:
        return None
    if options.load or getattr(registry.tasks.get(name).function, "__module__", "") != "__main__":
        return None
    return f"task {name} is defined in this program only (a script or a notebook), where no other process finds it"


def _url(stored: StoredStudy) -> str:
    if stored.url is None:
        raise InputError(f"study {stored.name}", input_error("", "is in this process's memory").faults)
    return stored.url
