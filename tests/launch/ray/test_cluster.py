"""A study on a Ray cluster: a real head and two nodes on loopback, real processes, a real database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import ray_nodes
from databases import fresh_database, trials_of
from optuna.trial import TrialState
from ray_nodes import Nodes
from shared_study import assert_handed_back, assert_nothing_lost, create, wait_until
from sqlalchemy.engine import make_url

PASSWORD = "hunter2-in-the-url"


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with ray_nodes.running() as cluster:
        yield cluster


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A database on PostgreSQL, with a password that the server does not ask for."""
    with fresh_database("postgres", tmp_path) as fresh:
        yield make_url(fresh).set(password=PASSWORD).render_as_string(hide_password=False)


def start(url: str, folder: Path, *arguments: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lrsearch", "study", "run", "shared", "--engine", "sequential", *arguments]
    return subprocess.Popen(
        command, env={**os.environ, **environment, "LRSEARCH_STORAGE": url}, cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def workers_of(url: str) -> set[int]:
    """Processes that have trained, or train, a trial."""
    return {trial.user_attrs["worker"]["pid"] for trial in trials_of(url, "shared") if "worker" in trial.user_attrs}


def family(*roots: int) -> list[psutil.Process]:
    found = [psutil.Process(root) for root in roots]
    return [*found, *(child for root in found for child in root.children(recursive=True))]


def assert_on_loopback_only(processes: list[psutil.Process]) -> None:
    pids = {process.pid for process in processes}
    listening = [
        socket.laddr.ip
        for socket in psutil.net_connections("inet")
        if socket.pid in pids and (socket.status == psutil.CONN_LISTEN or not socket.raddr)
    ]
    assert len(listening) > 4, "these are not Ray's processes"
    assert set(listening) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def assert_says_no_password(processes: list[psutil.Process], logs: Path) -> None:
    for process in processes:
        try:
            assert PASSWORD not in " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue
    written = [file for file in logs.rglob("*") if file.is_file() and not file.is_symlink()]
    assert len(written) > 10
    assert not [file.name for file in written if PASSWORD.encode() in file.read_bytes()]


def test_a_killed_actor_is_started_again_and_nothing_is_lost(nodes: Nodes, url: str, tmp_path: Path) -> None:
    """Two nodes share a budget exactly; nothing listens beyond loopback, and nothing shows the password."""
    create(url, tmp_path, trials=150, rows=1500)
    arguments = ("--cluster", nodes.address, "--workers", "2", "--format", "json")
    # A person's setting that makes Ray print all of its messages.
    driver = start(url, tmp_path, *arguments, environment={**nodes.environment, "RAY_DEDUP_LOGS": "0"})
    wait_until(lambda: len(workers_of(url)) == 2, driver)
    workers = [psutil.Process(pid) for pid in workers_of(url)]
    actors = [worker.parent() for worker in workers]
    assert len({actor.ppid() for actor in actors if actor}) == 2, "each node has one"
    processes = family(nodes.process.pid, driver.pid)
    assert {worker.pid for worker in workers} <= {process.pid for process in processes}
    assert_on_loopback_only(processes)
    assert all(worker.environ()["OMP_NUM_THREADS"] == "1" for worker in workers)
    assert actors[0] is not None
    actors[0].kill()
    output, errors = driver.communicate(timeout=300)
    assert driver.returncode == 0, errors
    assert_nothing_lost(url, 150)
    assert json.loads(output)["trials"]["budget"] == 150, "Ray has written to stdout"
    assert "a worker died; Ray has started it again" in errors
    assert "Traceback" not in errors
    assert "infinite retries" not in errors
    assert not workers[0].is_running(), "the worker outlived its actor"
    assert_says_no_password(processes, nodes.logs)


@pytest.mark.soak
def test_interrupting_hands_everything_back(nodes: Nodes, url: str, tmp_path: Path) -> None:
    """Also through Ray's client, where this process is no part of the cluster."""
    create(url, tmp_path, trials=1000, rows=400)
    driver = start(url, tmp_path, "--cluster", nodes.client, "--quiet", environment=nodes.environment)
    wait_until(lambda: any(trial.state == TrialState.COMPLETE for trial in trials_of(url, "shared")), driver)
    workers = [psutil.Process(pid) for pid in workers_of(url)]
    driver.send_signal(signal.SIGINT)
    _, errors = driver.communicate(timeout=300)
    assert driver.returncode == 130, errors
    assert "Go on with: lrsearch study run shared" in errors
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
    assert_handed_back(url)


OWN = """
import lrsearch, torch
@lrsearch.task
def mine() -> lrsearch.Task:
    data = torch.ones(8, 2), torch.ones(8, 1)
    return lrsearch.Task(model=lambda: torch.nn.Linear(2, 1), train=data, test=data, loss="mse", metric="mse")
"""


@pytest.mark.soak
def test_a_cluster_of_this_machine_lives_as_long_as_the_study(tmp_path: Path) -> None:
    """SQLite is enough for it, own code comes along, and everything of Ray is gone afterwards."""
    with ray_nodes.alone():
        url = f"sqlite:///{tmp_path}/s.db"
        (tmp_path / "mine.py").write_text(OWN)
        create(url, tmp_path, trials=6, task="mine", options="# it has none", load='load = ["mine.py"]')
        driver = start("sqlite:///s.db", tmp_path, "--load", "mine.py", "--cluster", "local", environment={})
        wait_until(lambda: bool(workers_of(url)), driver)
        processes = family(driver.pid)
        assert_on_loopback_only(processes)
        _, errors = driver.communicate(timeout=300)
        assert driver.returncode == 0, errors
        assert_nothing_lost(url, 6)
        assert "1 worker on a Ray cluster of 1 machine." in errors
        _, alive = psutil.wait_procs(processes, timeout=60)
        assert not alive
