"""Workers on the machines of a Ray cluster. Ray launches, restarts and pins them; everything else the storage says."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from lrsearch.errors import LrsearchError, input_error
from lrsearch.launch.processes import LOOK_AGAIN, TERMINATION_TIMEOUT
from lrsearch.launch.ray.actor import Assignment, Ending, Heard, WorkerActor
from lrsearch.launch.ray.address import Address, check_reachable, prepare, resolve
from lrsearch.launch.ray.connect import join, told
from lrsearch.launch.ray.nodes import Node, check_storage, count_workers, gpu_share
from lrsearch.signals import Interruption

PLACED_AFTER = 15.0
"""Seconds until a person is told that workers wait for room."""
IDLE_CHECK = 1.0
"""Seconds between two looks at whether the study still needs workers that do not answer."""


@dataclass
class Hired:
    """One worker, from this side.

    Attributes:
        actor: Ray's handle of its seat.
        run: Ray's promise of its ending.
        hearing: Ray's promise of what it says next.
        host: Where it is; empty while Ray looks for room.
        pid: The seat's process.
        ending: How it ended; None while it has not.
    """

    actor: Any
    run: Any
    hearing: Any
    host: str = ""
    pid: int = 0
    ending: Ending | None = field(default=None)


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

    def crew(
        self,
        assignment: Callable[[int], Assignment],
        workers: int | None,
        threads: int,
        share: float | None,
        interruption: Interruption,
        say: Callable[[str], None],
        needed: Callable[[], bool],
    ) -> Crew:
        """Start workers.

        Args:
            assignment: What each of so many workers does.
            workers: How many; by default as `count_workers` says.
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
        number = workers or count_workers(nodes, threads, gpus)
        hosts = len({node.host for node in nodes})
        say(f"{number} worker{'s' * (number > 1)} on a Ray cluster of {hosts} machine{'s' * (hosts > 1)}.")
        actor = self._ray.remote(WorkerActor).options(
            num_cpus=threads, num_gpus=gpus, scheduling_strategy="SPREAD",
            max_restarts=-1, max_task_retries=-1, max_concurrency=4,
        )  # fmt: skip
        own = assignment(number)
        return Crew(self._ray, [_hire(actor.remote(own)) for _ in range(number)], interruption, say, needed)


class Crew:
    """The workers of one study on a cluster. Coordination is the storage's: here they are only started and ended."""

    def __init__(
        self,
        library: Any,
        hired: Sequence[Hired],
        interruption: Interruption,
        say: Callable[[str], None],
        needed: Callable[[], bool],
    ) -> None:
        self._ray, self.hired = library, hired
        self._interruption, self._say, self._needed = interruption, say, needed
        self._told_at = time.monotonic() + PLACED_AFTER
        self._looked_at = 0.0

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
        failed = [own.ending for own in self.hired if own.ending is not None and own.ending.code]
        if failed:
            raise _failure(failed)

    def _goes_on(self) -> bool:
        self._hear()
        ready, _ = self._ray.wait([own.run for own in self.hired], num_returns=len(self.hired), timeout=0)
        for own in self.hired:
            if own.ending is None and own.run in ready:
                own.ending = self._ended(own)
        left = [own for own in self.hired if own.ending is None]
        if not left:
            return False
        if all(own.ending is None or own.ending.code for own in self.hired):
            self._tell_who_waits(left)
            return True
        # Somebody found the study done; who waits for room, or for a machine that is gone, would find the same.
        if time.monotonic() - self._looked_at < IDLE_CHECK:
            return True
        self._looked_at = time.monotonic()
        return self._needed()

    def _ended(self, own: Hired) -> Ending:
        try:
            ending: Ending = self._ray.get(own.run)
        except Exception as error:  # Ray raises what the actor raised, wrapped in classes of its own
            return Ending(own.host or "the cluster", 1, told(error))
        return ending

    def _hear(self) -> None:
        promises = {own.hearing: own for own in self.hired if own.ending is None}
        ready, _ = self._ray.wait(list(promises), num_returns=len(promises), timeout=0) if promises else ([], [])
        for promise in ready:
            own = promises[promise]
            try:
                heard: Heard = self._ray.get(promise)
            except Exception:  # its run ends with the same error, which is looked at there
                continue
            if own.pid and (own.host, own.pid) != (heard.host, heard.pid):
                self._say(f"{own.host}: a worker died; Ray has started it again on {heard.host}.")
            own.host, own.pid = heard.host, heard.pid
            for line in heard.lines:
                self._say(f"{heard.host}: {line}")
            own.hearing = own.actor.hear.remote()

    def _tell_who_waits(self, left: Sequence[Hired]) -> None:
        waiting = sum(not own.host for own in left)
        if waiting and time.monotonic() > self._told_at:
            self._told_at = float("inf")
            self._say(f"The cluster has no room yet for {waiting} of {len(self.hired)} workers; they wait for it.")

    def _end(self) -> None:
        """Ask all workers that run to hand back their trials, and end all."""
        placed = [own for own in self.hired if own.host and own.ending is None]
        for own in placed:
            own.actor.stop.remote()
        promises = [own.run for own in placed]
        if promises:
            self._ray.wait(promises, num_returns=len(promises), timeout=2 * TERMINATION_TIMEOUT)
        for own in self.hired:
            self._ray.kill(own.actor)


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
        rule = 'needs Ray, which is not installed: pip install "lrsearch[ray]"'
        raise input_error("command line", rule, key="--cluster")
    check_reachable(address)
    prepare(address, os.environ)
    import ray  # which reads its settings from the environment now

    with ExitStack() as stack:
        join(ray, address, stack)
        stack.callback(ray.shutdown)
        cluster = Cluster(ray, address)
        check_storage(storage, cluster.nodes, socket.gethostname())
        yield cluster


def _hire(actor: Any) -> Hired:
    return Hired(actor, actor.run.remote(), actor.hear.remote())


def _failure(endings: Sequence[Ending]) -> LrsearchError:
    """One error for all workers that failed; most often they say the same."""
    reasons: dict[str, list[str]] = {}
    for ending in endings:
        reasons.setdefault(ending.reason or f"exit code {ending.code}", []).append(ending.host)
    told = "; ".join(f"{', '.join(dict.fromkeys(hosts))}: {reason}" for reason, hosts in reasons.items())
    error = LrsearchError(f"not every worker ended well ({told}); what was finished is stored")
    error.exit_code = 2 if all(ending.code == 2 for ending in endings) else 1
    return error
