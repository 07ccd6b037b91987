"""What `lrsearch study run --cluster` answers before any cluster is joined."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable

import pytest
import ray_nodes

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_ray_that_is_not_installed_is_named_with_the_command(lrsearch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lrsearch.launch.ray.cluster.find_spec", {}.get)
    done = lrsearch("study", "run", "small.toml", "--cluster", "local")
    assert done.returncode == 2
    assert 'pip install ".[ray]"' in done.stderr


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


@pytest.mark.parametrize("workers", [["--workers", "2"], ["--workers", "1"], []])
def test_gpus_that_are_not_there_are_not_shared(
    lrsearch: Run, monkeypatch: pytest.MonkeyPatch, workers: list[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = lrsearch("study", "run", "small.toml", *workers, "--gpus-per-worker", "0.5")
    assert done.returncode == 2
    assert "--gpus-per-worker = 0.5: torch finds no GPU here" in done.stderr


@pytest.mark.parametrize(
    ("options", "several"), [([], True), (["--workers", "1"], False), (["--device", "cpu"], False)]
)
def test_a_machine_has_a_worker_for_each_gpu(
    lrsearch: Run, monkeypatch: pytest.MonkeyPatch, options: list[str], several: bool
) -> None:
    """The two devices are only named: a worker that sees none of its own computes on the CPU."""
    monkeypatch.setattr("lrsearch.training.engine.devices", lambda: ["7", "8"])
    done = lrsearch("study", "run", "small.toml", *options, "--format", "json")
    assert done.returncode == 0
    assert ("2 workers, because there are GPUs for them" in done.stderr) == several
    assert json.loads(done.stdout)["trials"]["complete"] == json.loads(done.stdout)["trials"]["budget"]
