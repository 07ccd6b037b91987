"""A Ray cluster of several nodes on loopback, for tests: a program that says where it is and ends with stdin."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}


@dataclass(frozen=True)
class Nodes:
    """A running cluster.

    Attributes:
        process: The program that holds it; all of Ray's processes descend from it.
        address: For processes of the machine.
        client: For processes that are no part of it.
        logs: The folder with what Ray wrote.
        environment: What those who join need.
    """

    process: subprocess.Popen[str]
    address: str
    client: str
    logs: Path
    environment: dict[str, str]


def need_ray() -> None:
    """Skip the test where Ray is not installed."""
    from databases import skip  # which the program below does without

    if find_spec("ray") is None:
        skip("ray", 'pip install ".[ray]"')


@contextmanager
def alone() -> Iterator[None]:
    """One test run's clusters take turns: each takes the same ports. Skips the test where Ray is not installed."""
    from filelock import FileLock

    need_ray()
    with FileLock(Path(tempfile.gettempdir()) / "lrsearch-tests-ray.lock", is_singleton=True):
        yield


@contextmanager
def running(nodes: int = 2, **further: str) -> Iterator[Nodes]:
    """A cluster of so many nodes with one CPU each.

    Args:
        nodes: How many.
        further: Environment variables of Ray's processes.
    """
    environment = {**os.environ, **LOOPBACK, **TOKEN, **further}
    # Sockets lie in the folder, and their paths must be short.
    with alone(), tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [sys.executable, __file__, str(nodes), folder], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            said = process.stdout.readline().split()
            assert len(said) == 2, "the cluster did not start"
            yield Nodes(process, said[0], said[1], Path(folder), {**LOOPBACK, **TOKEN})
        finally:
            left = psutil.Process(process.pid).children(recursive=True)
            process.communicate(timeout=60)
            # The client's server may outlive the rest, and the next cluster's wants the same port.
            _, alive = psutil.wait_procs(left, timeout=10)
            for own in alive:
                own.kill()
            psutil.wait_procs(alive, timeout=10)


def main(nodes: int, folder: str) -> None:
    """Start the nodes, say where they are, and end them when stdin ends."""
    import ray.cluster_utils

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False, "object_store_memory": 80 * 2**20}
    # Ray hands out worker ports of its own otherwise, among which the client's must not be.
    head = {**own, "temp_dir": folder, "ray_client_server_port": port, "min_worker_port": 0, "max_worker_port": 0}
    # Cluster notes its address where `ray start` would, in a folder that nobody has made where Ray never ran.
    Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp", "ray").mkdir(exist_ok=True)
    cluster = ray.cluster_utils.Cluster(initialize_head=True, head_node_args=head)
    for _ in range(nodes - 1):
        cluster.add_node(**own)
    wait_for(port)
    print(cluster.address, f"ray://127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    cluster.shutdown()


def wait_for(port: int) -> None:
    """Ray says that a cluster is there before its server for clients answers."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
