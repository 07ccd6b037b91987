"""The machines of a cluster, as plain values."""

from __future__ import annotations

import pytest

from lrsearch.errors import InputError
from lrsearch.launch.ray.nodes import Node, check_storage, count_workers, gpu_share

PLAIN = [Node("a", 8, 0), Node("b", 2, 0)]
GPUS = [Node("head", 4, 0), Node("a", 8, 4), Node("b", 2, 4)]


@pytest.mark.parametrize(
    ("nodes", "threads", "share", "expected"),
    [
        (PLAIN, 1, 0.0, 2),
        (PLAIN, 4, 0.0, 1),
        (PLAIN, 16, 0.0, 1),
        (GPUS, 1, 1.0, 6),
        (GPUS, 1, 0.5, 10),
        (GPUS, 2, 1.0, 5),
    ],
)
def test_one_worker_per_share_of_a_gpu_or_per_machine(
    nodes: list[Node], threads: int, share: float, expected: int
) -> None:
    """As far as there are CPUs for them."""
    assert count_workers(nodes, threads, share) == expected


def test_a_gpu_each_where_there_are_any() -> None:
    assert (gpu_share(PLAIN, None), gpu_share(GPUS, None), gpu_share(GPUS, 0.25), gpu_share(GPUS, 0.0)) == (
        0,
        1,
        0.25,
        0,
    )
    with pytest.raises(InputError, match="the cluster has no GPU"):
        gpu_share(PLAIN, 0.5)


def test_a_file_is_no_storage_for_several_machines() -> None:
    check_storage("postgresql://host/db", PLAIN, "a")
    check_storage("sqlite:///s.db", [Node("a", 1, 0), Node("a", 1, 0)], "a")
    with pytest.raises(InputError, match=r"a file on this machine, and the cluster has others \(b\)"):
        check_storage("sqlite:///s.db", PLAIN, "a")
