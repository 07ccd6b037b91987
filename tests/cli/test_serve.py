"""`lrsearch serve` as a process: dashboard, workers and publisher together, restarted and ended together."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
from databases import counts_of
from shared_study import wait_until

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_service_from_start_to_end(here: Command, tmp_path: Path) -> None:
    """A study created beside it is trained and published, a killed worker comes back, and ctrl-C leaves nothing."""
    url = f"sqlite:///{tmp_path}/lrsearch.db"
    (tmp_path / "small.toml").write_text(
        '[study]\nname = "small"\ntrials = 4\n[task]\nname = "polynomial"\nrows = 60\n'
        "[training]\nepochs = 2\n[confirm]\ntop = 0\n"
    )
    command = [sys.executable, "-m", "lrsearch", "serve", "--port", "0", "--log-format", "json"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        page, serving = None, False
        for line in process.stderr:
            said = json.loads(line)
            if found := re.search(r"http://\S+/", said["message"]):
                page = found[0]
            serving |= said.get("process") == "worker 0"
            if page is not None and serving:
                break
        here("study", "create", "small.toml")
        for line in process.stderr:
            if "Published study small" in line and counts_of(url, "small").finished == 4:
                break
        with urllib.request.urlopen(f"{page}api/studies/1", timeout=60) as answer:
            assert json.load(answer)["note"]["body"].startswith("# Learning-rate report: small")
        family = psutil.Process(process.pid).children()
        [worker] = [child for child in family if "worker" in child.cmdline()]
        worker.kill()
        for line in process.stderr:
            if "serves every study" in line:
                break
        family += psutil.Process(process.pid).children()
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    finally:
        process.terminate()
        process.communicate()
    assert process.returncode == 130
    assert rest.splitlines()[-1].endswith('"message": "Everything has ended."}')
    deadline = time.monotonic() + 10
    while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in set(family)):
        assert time.monotonic() < deadline


def test_a_service_that_is_killed_leaves_nobody_behind(here: Command, tmp_path: Path) -> None:
    """Kill -9: its processes notice a closed pipe, and the worker hands back what it trains."""
    (tmp_path / "long.toml").write_text(
        '[study]\nname = "long"\ntrials = 4\n[task]\nname = "polynomial"\nrows = 400\n'
        "[training]\nepochs = 20000\n[confirm]\ntop = 0\n"
    )
    here("study", "create", "long.toml")
    url = f"sqlite:///{tmp_path}/lrsearch.db"
    command = [sys.executable, "-m", "lrsearch", "serve", "--port", "0", "--engine", "sequential"]
    process = subprocess.Popen([*command, "--log-format", "json"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process:
        for line in process.stderr:
            if "Dashboard at" in line:
                break
        wait_until(lambda: counts_of(url, "long").running > 0, process)
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert (len(family), alive) == (3, [])
    counts = counts_of(url, "long")
    assert (counts.running, counts.waiting, counts.retried) == (0, 1, 1)


def test_what_is_wrong_is_said_once(here: Command, tmp_path: Path) -> None:
    refused = here("serve", "--host", "0.0.0.0")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "needs a token" in refused.stderr
    assert here("serve", "--storage", "sqlite:////no/such/folder/s.db").returncode == 2
