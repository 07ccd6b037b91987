"""The machines of a cluster: what they have, how many workers suit them, and which storage they can share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lrsearch.errors import input_error
from lrsearch.launch.gpus import fitting


@dataclass(frozen=True)
class Node:
    """A machine of a cluster, and what it has for workers."""

    host: str
    cpus: float
    gpus: float


def gpu_share(nodes: Sequence[Node], share: float | None) -> float:
    """How much of a graphics processor each worker gets.

    Args:
        nodes: The machines of the cluster.
        share: What was asked for; None for one where there are any.

    Raises:
        InputError: A share was asked for where there are none.
    """
    gpus = any(node.gpus for node in nodes)
    if share and not gpus:
        raise input_error("command line", "the cluster has no GPU", key="--gpus-per-worker", received=f"{share:g}")
    return float(gpus) if share is None else share


def count_workers(nodes: Sequence[Node], threads: int, share: float) -> int:
    """How many workers a cluster gets by default: one per share of a graphics processor, or one per machine.

    Args:
        nodes: The machines of the cluster.
        threads: CPU threads of each worker.
        share: Graphics processors of each worker.
    """
    able = [node for node in nodes if node.cpus >= threads]
    if share:
        return max(1, sum(min(fitting(node.gpus, share), int(node.cpus // threads)) for node in able))
    return max(1, len(able))


def check_storage(storage: str, nodes: Sequence[Node], here: str) -> None:
    """Refuse a file that lies on this machine where workers run on others.

    Args:
        storage: URL of the storage.
        nodes: The machines of the cluster.
        here: Name of this one.

    Raises:
        InputError: The storage is a file, and not all workers would be on this machine.
    """
    others = sorted({node.host for node in nodes if node.host != here})
    if storage.startswith("sqlite") and others:
        rule = f"is a file on this machine, and the cluster has others ({', '.join(others[:3])}); they can share "
        rule += "postgresql://... or mysql://..., or take --cluster local"
        raise input_error("--storage", rule, received=storage)
