"""Workers on the machines of a Ray cluster. Ray launches, restarts and pins them; everything else the storage says."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from lrsearch import extras
from lrsearch.errors import LrsearchError, input_error
from lrsearch.launch.processes import LOOK_AGAIN
from lrsearch.launch.ray.actor import Assignment, Output, WorkerActor, WorkerExit
from lrsearch.launch.ray.address import Address, check_reachable, prepare, resolve
from lrsearch.launch.ray.connect import join, reason_of, without_messages
from lrsearch.launch.ray.nodes import Node, check_storage, count_workers, gpu_share
from lrsearch.printable import without_passwords
from lrsearch.signals import TERMINATION_TIMEOUT, Interruption

ROOM_NOTICE_AFTER = 15.0
"""Seconds until a person is told that workers wait for room."""
NEED_CHECK = 1.0
"""Seconds between two looks at whether the study still needs workers that do not answer."""


@dataclass
class ClusterWorker:
    """One worker, as the process that started it sees it.

    Attributes:
        actor: Ray's handle of its actor.
        run: Ray's reference to how it ends.
        next_output: Ray's reference to what it writes next.
        host: Where it is; empty while Ray looks for room.
        pid: The actor's process.
        exit: How it ended; None while it has not.
    """

    actor: Any
    run: Any
    next_output: Any
    host: str = ""
    pid: int = 0
    exit: WorkerExit | None = None


class Cluster:
    """A Ray cluster that this process has joined.

    Args:
        library: Ray.
        address: Where the cluster is.
    """

    def __init__(self, library: Any, address: Address) -> None:
        self._ray, self.address = library, address

    @property
    def nodes(self) -> list[Node]:
        """The machines that are there now."""
        alive = [node for node in self._ray.nodes() if node["Alive"]]
        return [
            Node(node["NodeManagerHostname"], node["Resources"].get("CPU", 0.0), node["Resources"].get("GPU", 0.0))
            for node in alive
        ]

    def start_workers(
        self,
        assignment: Callable[[int], Assignment],
        number: int | None,
        threads: int,
        share: float | None,
        interruption: Interruption,
        say: Callable[[str], None],
        needed: Callable[[], bool],
    ) -> ClusterWorkers:
        """Start workers.

        Args:
            assignment: What each of so many workers does.
            number: How many; by default as `count_workers` says.
            threads: CPU threads of each.
            share: Graphics processors of each; by default one where the cluster has any.
            interruption: Where signals are looked for.
            say: Where a person is told what happens.
            needed: Whether somebody still trains the study.

        Raises:
            InputError: The cluster has no graphics processor, and a share of one was asked for.
        """
        nodes = self.nodes
        gpus = gpu_share(nodes, share)
        number = number or count_workers(nodes, threads, gpus)
        hosts = len({node.host for node in nodes})
        say(f"{number} worker{'s' * (number > 1)} on a Ray cluster of {hosts} machine{'s' * (hosts > 1)}.")
        if shows_password(sys.argv):
            say("Ray shows this command line, with its password, to all users: put the URL into LRSEARCH_STORAGE.")
        actor = self._ray.remote(WorkerActor).options(
            num_cpus=threads, num_gpus=gpus, scheduling_strategy="SPREAD",
            max_restarts=-1, max_task_retries=-1, max_concurrency=4,
        )  # fmt: skip
        given = assignment(number)
        workers = [_start(actor.remote(given)) for _ in range(number)]
        return ClusterWorkers(self._ray, workers, interruption, say, needed)


def shows_password(words: Sequence[str]) -> bool:
    """Whether a password stands in a command line: Ray keeps that of whoever joins a cluster, for its dashboard.

    Args:
        words: The command line.
    """
    return any(without_passwords(word) != word for word in words)


class ClusterWorkers:
    """The workers of one study on a cluster. Coordination is the storage's: here they are only started and ended."""

    def __init__(
        self,
        library: Any,
        workers: Sequence[ClusterWorker],
        interruption: Interruption,
        say: Callable[[str], None],
        needed: Callable[[], bool],
    ) -> None:
        self._ray, self._workers = library, workers
        self._interruption, self._say, self._needed = interruption, say, needed
        self._notice_due = time.monotonic() + ROOM_NOTICE_AFTER
        self._need_checked_at = 0.0

    def watch(self) -> Iterator[None]:
        """Yield now and then while workers run. However this ends, none of them is left.

        Raises:
            InterruptedRunError: A signal came; every worker has handed its trials back or was ended.
            LrsearchError: A worker failed.
        """
        try:
            while self._goes_on():
                with self._interruption.open():
                    time.sleep(LOOK_AGAIN)
                yield
        finally:
            self._end()
        failed = [worker.exit for worker in self._workers if worker.exit is not None and worker.exit.code]
        if failed:
            raise _failure(failed)

    def _goes_on(self) -> bool:
        self._pass_output_on()
        workers = self._workers
        ready, _ = self._ray.wait([worker.run for worker in workers], num_returns=len(workers), timeout=0)
        for worker in workers:
            if worker.exit is None and worker.run in ready:
                worker.exit = self._exit_of(worker)
        left = [worker for worker in workers if worker.exit is None]
        if not left:
            return False
        if all(worker.exit is None or worker.exit.code for worker in workers):
            self._tell_of_missing_room(left)
            return True
        # One worker found the study done. One that waits for room, or for a machine that is gone, would find the same.
        if time.monotonic() - self._need_checked_at < NEED_CHECK:
            return True
        self._need_checked_at = time.monotonic()
        return self._needed()

    def _exit_of(self, worker: ClusterWorker) -> WorkerExit:
        try:
            ended: WorkerExit = self._ray.get(worker.run)
        except Exception as error:  # Ray raises what the actor raised, wrapped in classes of its own
            return WorkerExit(worker.host or "the cluster", 1, reason_of(error))
        return ended

    def _pass_output_on(self) -> None:
        waiting = {worker.next_output: worker for worker in self._workers if worker.exit is None}
        ready, _ = self._ray.wait(list(waiting), num_returns=len(waiting), timeout=0) if waiting else ([], [])
        for reference in ready:
            worker = waiting[reference]
            try:
                output: Output = self._ray.get(reference)
            except Exception:  # its run ends with the same error, which is looked at there
                continue
            if worker.pid and (worker.host, worker.pid) != (output.host, output.pid):
                self._say(f"{worker.host}: a worker died; Ray has started it again on {output.host}.")
            worker.host, worker.pid = output.host, output.pid
            for line in output.lines:
                self._say(f"{output.host}: {line}")
            worker.next_output = worker.actor.read_output.remote()

    def _tell_of_missing_room(self, left: Sequence[ClusterWorker]) -> None:
        waiting = sum(not worker.host for worker in left)
        if waiting and time.monotonic() > self._notice_due:
            self._notice_due = float("inf")
            self._say(f"The cluster has no room yet for {waiting} of {len(self._workers)} workers; they wait for it.")

    def _end(self) -> None:
        """Ask all workers that run to hand back their trials, and end all."""
        running = [worker for worker in self._workers if worker.host and worker.exit is None]
        for worker in running:
            worker.actor.stop.remote()
        if running:
            timeout = 2 * TERMINATION_TIMEOUT
            self._ray.wait([worker.run for worker in running], num_returns=len(running), timeout=timeout)
        for worker in self._workers:
            self._ray.kill(worker.actor)


@contextmanager
def joined(given: str, storage: str) -> Iterator[Cluster]:
    """Join a cluster, or start one on this machine, for as long as the block lasts.

    Args:
        given: ``local``, ``auto``, ``host:port`` or ``ray://host:port``.
        storage: URL of the storage that the workers will use.

    Raises:
        InputError: There is no such cluster, Ray is not installed, or the storage is a file that other machines of
            the cluster do not have.
        LrsearchError: The cluster is out of reach.
    """
    address = resolve(given)
    if find_spec("ray") is None:
        rule = f"needs Ray, which is not installed; install it, {extras.install('ray')}"
        raise input_error("command line", rule, key="--cluster")
    check_reachable(address)
    prepare(address, os.environ)
    with without_messages(os.environ):
        import ray  # which reads its settings from the environment now

    with ExitStack() as stack:
        join(ray, address, stack)
        stack.callback(ray.shutdown)
        cluster = Cluster(ray, address)
        check_storage(storage, cluster.nodes, socket.gethostname())
        yield cluster


def _start(actor: Any) -> ClusterWorker:
    return ClusterWorker(actor, actor.run.remote(), actor.read_output.remote())


def _failure(exits: Sequence[WorkerExit]) -> LrsearchError:
    """One error for all workers that failed; most often they say the same."""
    hosts_by_reason: dict[str, list[str]] = {}
    for ended in exits:
        hosts_by_reason.setdefault(ended.reason or f"exit code {ended.code}", []).append(ended.host)
    reasons = "; ".join(f"{', '.join(dict.fromkeys(hosts))}: {reason}" for reason, hosts in hosts_by_reason.items())
    error = LrsearchError(f"not every worker ended well ({reasons}); what was finished is stored")
    error.exit_code = 2 if all(ended.code == 2 for ended in exits) else 1
    return error
