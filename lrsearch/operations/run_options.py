"""How trials are trained: what the flags of `study run` and `confirm` say, for this process and for its workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrsearch.launch.ray.cluster import Cluster


@dataclass(frozen=True)
class RunOptions:
    """What the flags of `study run` say about training, for one process or several."""

    engine: str
    device: str
    threads: int
    timeout: float | None
    grace: float
    quiet: bool
    modules: list[str]
    workers: int
    gpus: float | None = None
    cluster: Cluster | None = None

    def arguments(self) -> list[str]:
        """The flags again, for a worker process on this machine."""
        limit = [] if self.timeout is None else ["--timeout", str(self.timeout)]
        loaded = [word for module in self.modules for word in ("--load", module)]
        return [*self.training(), *limit, *loaded]

    def training(self) -> list[str]:
        """Those flags that mean the same on every machine and at every time."""
        training = ["--engine", self.engine, "--device", self.where, "--threads", str(self.threads)]
        return [*training, "--grace", str(self.grace)]

    @property
    def where(self) -> str:
        """The device: a worker without a share of a GPU does not take one."""
        return "cpu" if self.gpus == 0 and self.device == "auto" else self.device
