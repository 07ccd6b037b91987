"""A study on a cluster of two hosts, one of which is lost."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
import ray_nodes
from databases import SERVERS, fresh_database, trials_of
from hosts import Host, relayed, two_hosts
from shared_study import assert_nothing_lost, create, wait_until
from sqlalchemy.engine import make_url

LIMITS = {
    # How long a node may be silent: Ray's default is half a minute.
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}


def join(host: Host, folder: str, *arguments: str) -> None:
    """Make a host part of the cluster; what `ray start` leaves behind runs until the host is lost."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", f"--node-ip-address={host.address}"]
    environment = {**ray_nodes.TOKEN, **LIMITS, "RAY_USAGE_STATS_ENABLED": "0", "RAY_TMPDIR": folder}
    memory = f"--object-store-memory={80 * 2**20}"
    started = host.start(
        [*command, "--num-cpus=1", memory, *arguments],
        environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert started.wait() == 0


def hosts_of(url: str) -> set[str]:
    return {trial.user_attrs["worker"]["host"] for trial in trials_of(url, "shared") if "worker" in trial.user_attrs}


@pytest.mark.soak
def test_what_a_lost_host_had_is_run_on_the_other_one(tmp_path: Path) -> None:
    """The trials' host is not this one, so that only its silence tells."""
    with ExitStack() as stack:
        stack.enter_context(ray_nodes.alone())
        url = stack.enter_context(fresh_database("postgres", tmp_path))
        first, second = stack.enter_context(two_hosts())
        # Sockets lie in the folder, and their paths must be short.
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True))
        server = make_url(SERVERS["postgres"])
        assert server.host
        stack.enter_context(relayed((server.host, server.port or 5432), Path(folder) / ".s.PGSQL.5432"))
        there = make_url(url).set(host=None, port=None, query={"host": folder}).render_as_string(hide_password=False)
        create(url, tmp_path, trials=40, rows=400)
        join(first, folder, "--head", "--port=6379", "--include-dashboard=false")
        join(second, folder, f"--address={first.address}:6379")
        command = [sys.executable, "-m", "lrsearch", "study", "run", "shared", "--engine", "sequential"]
        driver = first.start(
            [*command, "--cluster", f"{first.address}:6379", "--grace", "6"],
            {**ray_nodes.TOKEN, "LRSEARCH_STORAGE": there}, cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        wait_until(lambda: hosts_of(url) == {first.name, second.name}, driver)
        second.lose()
        _, errors = driver.communicate(timeout=300)
        assert driver.returncode == 0, errors
        assert "2 workers on a Ray cluster of 2 machines." in errors
        assert_nothing_lost(url, 40)
        retried = [trial for trial in trials_of(url, "shared") if "retry_of" in trial.user_attrs]
        assert {trial.user_attrs["worker"]["host"] for trial in retried} == {first.name}
