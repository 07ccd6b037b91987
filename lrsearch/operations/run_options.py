"""How a study is trained: by how many processes, where, with which engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lrsearch.storage.store import GRACE


@dataclass(frozen=True)
class RunOptions:
    """What a person says about training, by flags or by keyword arguments; it changes no setting of the study.

    Attributes:
        engine: ``auto``, ``sequential``, ``batched`` or ``parallel``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.
        threads: CPU threads of each process.
        timeout: Seconds after which no further trial is taken; None for no limit.
        grace: Seconds without a heartbeat after which a trial on another machine is taken to be lost.
        workers: Processes that train for this run, with the parallel engine; with the others, processes that share the
            study. None for as many as suit the machine or the cluster.
        gpus_per_worker: GPUs of each worker, between 0 and 1; None for one, where there are any.
        cluster: Address of a Ray cluster; None for this machine.
        load: Files and modules with own tasks and schedules, which every process must import.
        confirm: Whether to confirm the study when its search is over, if its file does not say no.
        one_of: 0 for the process that a person started. A worker process that it started is one of so many: it
            trains by itself, and neither starts a stopped study again nor confirms it.
    """

    engine: str = "auto"
    device: str = "auto"
    threads: int = 1
    timeout: float | None = None
    grace: float = GRACE
    workers: int | None = None
    gpus_per_worker: float | None = None
    cluster: str | None = None
    load: tuple[str, ...] = ()
    confirm: bool = True
    one_of: int = 0

    def with_code(self, sources: Sequence[str]) -> RunOptions:
        """The same, with more files and modules that every process must import.

        Args:
            sources: Files ending in ``.py``, or modules.
        """
        return replace(self, load=tuple(dict.fromkeys([*self.load, *sources])))

    def left(self, seconds: float) -> RunOptions:
        """The same, when so many seconds of the time limit are gone.

        Args:
            seconds: How many.
        """
        return self if self.timeout is None else replace(self, timeout=max(self.timeout - seconds, 0.0))

    def arguments(self) -> list[str]:
        """Flags of `lrsearch study run` that say the same to a worker process on this machine."""
        limit = [] if self.timeout is None else ["--timeout", str(self.timeout)]
        loaded = [word for source in self.load for word in ("--load", source)]
        return [*self.training(), *limit, *loaded]

    def training(self) -> list[str]:
        """Those flags that mean the same on every machine and at every time."""
        training = ["--engine", self.engine, "--device", self.where, "--threads", str(self.threads)]
        return [*training, "--grace", str(self.grace)]

    @property
    def where(self) -> str:
        """The device: a worker without a share of a GPU does not take one."""
        return "cpu" if self.gpus_per_worker == 0 and self.device == "auto" else self.device
