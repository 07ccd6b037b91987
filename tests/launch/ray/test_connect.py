"""Joining a real cluster through Ray's client, where the processes that Ray starts for clients die."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import ray_nodes

from lrsearch.launch.ray.cluster import shows_password
from lrsearch.launch.ray.connect import without_messages

JOIN = """
import sys
from lrsearch.launch.ray.cluster import joined
with joined(sys.argv[1], "postgresql://elsewhere/none") as cluster:
    print(len(cluster.nodes))
"""
DIES = """
import os, sys

def die():
    try:
        os.close(os.open({first!r}, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os._exit(1)

if "--mode=proxy" in sys.orig_argv:
    os.register_at_fork(after_in_child=die)
"""


@pytest.mark.soak
def test_a_server_that_dies_at_its_start_is_started_again(tmp_path: Path) -> None:
    """Python runs a module of this name before anything else: in what starts the servers, the first of which dies."""
    first = tmp_path / "first"
    (tmp_path / "sitecustomize.py").write_text(DIES.format(first=str(first)))
    with ray_nodes.running(1, PYTHONPATH=str(tmp_path)) as nodes:
        done = subprocess.run(
            [sys.executable, "-c", JOIN, nodes.client], env={**os.environ, **nodes.environment},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert first.exists()
    assert (done.stdout.split(), done.stderr) == (["1"], "")


@pytest.mark.parametrize("own", [{}, {"RAY_DEDUP_LOGS": "0", "RAY_DEDUP_LOGS_ALLOW_REGEX": "raylet", "HOME": "/"}])
def test_what_the_person_has_set_for_ray_is_there_again_after_the_import(own: dict[str, str]) -> None:
    environment = dict(own)
    with without_messages(environment):
        assert environment["RAY_DEDUP_LOGS"] == "1"
        assert "RAY_DEDUP_LOGS_ALLOW_REGEX" not in environment
    assert environment == own


def test_a_password_in_the_command_line_is_seen() -> None:
    """Also one behind the question mark; without one nothing is said."""
    command = ["lrsearch", "study", "run", "s", "--cluster", "local", "--storage"]
    assert shows_password([*command, "postgresql://me:secret@host/db"])
    assert shows_password([*command[:-1], "--storage=mysql://host/db?user=me&password=secret"])
    assert not shows_password([*command, "postgresql://me@host/db"])
