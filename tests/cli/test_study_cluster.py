"""What `lrsearch study run --cluster` answers before any cluster is joined."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable

import pytest
import ray_nodes

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_ray_that_is_not_installed_is_named_with_the_command(lrsearch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrsearch.search.cluster.find_spec", {}.get)
    done = lrsearch("study", "run", "small.toml", "--cluster", "local")
    assert done.returncode == 2
    assert 'pip install "lrsearch[ray]"' in done.stderr


def test_an_address_that_is_none_is_wrong_input(lrsearch: Run) -> None:
    done = lrsearch("study", "run", "small.toml", "--cluster", "locl")
    assert done.returncode == 2
    assert '--cluster = "locl": must be local, auto, ray://HOST:PORT' in done.stderr
    assert "did you mean local?" in done.stderr


def test_a_cluster_out_of_reach_is_one_line(lrsearch: Run) -> None:
    ray_nodes.need_ray()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        address = f"ray://127.0.0.1:{taken.getsockname()[1]}"
        done = lrsearch("study", "run", "small.toml", "--cluster", address)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"Error: the cluster at {address} is out of reach: Connection refused"]


def test_gpus_that_are_not_there_are_not_shared(lrsearch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = lrsearch("study", "run", "small.toml", "--workers", "2", "--gpus-per-worker", "0.5")
    assert done.returncode == 2
    assert "--gpus-per-worker = 0.5: torch finds no GPU here" in done.stderr
