"""The files in `.deploy/` are what systemd, bash and Kubernetes understand, and their commands are ours."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from kubernetes.client import ApiClient

from lrsearch.cli.app import app

DEPLOY = Path(__file__).parent.parent / ".deploy"
MANIFESTS = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
KINDS = {"Deployment": "V1Deployment", "Service": "V1Service"}


def command_lines() -> list[list[str]]:
    """Every lrsearch command of the files."""
    texts = [(DEPLOY / name).read_text() for name in ("lrsearch.service", "workers.slurm")]
    found = [shlex.split(line) for text in texts for line in re.findall(r"^(?:ExecStart=\S+|srun) (.*)$", text, re.M)]
    pods = [manifest["spec"]["template"]["spec"] for manifest in MANIFESTS if manifest["kind"] == "Deployment"]
    return found + [container["args"] for pod in pods for container in pod["containers"]]


@pytest.mark.parametrize("words", command_lines(), ids=" ".join)
def test_every_command_is_one_of_ours(words: list[str]) -> None:
    """Unknown options and values are refused while they are parsed."""
    program, name, *arguments = words
    assert program == "lrsearch"
    typer.main.get_command(app).commands[name].make_context(name, arguments)  # type: ignore[attr-defined]


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(DEPLOY / "lrsearch.service")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_bash_understands_the_slurm_script() -> None:
    done = subprocess.run(["bash", "-n", str(DEPLOY / "workers.slurm")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "manifest", MANIFESTS, ids=lambda manifest: f"{manifest['kind']} {manifest['metadata']['name']}"
)
def test_kubernetes_understands_the_manifests(manifest: dict[str, Any]) -> None:
    """Required fields are there, and the client's schema drops no other: it loses what it does not know."""
    client = ApiClient()
    read = client._ApiClient__deserialize(manifest, KINDS[manifest["kind"]])
    assert client.sanitize_for_serialization(read) == manifest
    spec = manifest["spec"]
    if manifest["kind"] == "Deployment":
        assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
