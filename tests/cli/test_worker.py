"""`lrsearch worker` as a process: it waits for studies, says what it does, and goes when it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
from databases import counts_of, trials_of
from shared_study import wait_until

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def test_it_waits_for_a_study_and_hands_work_back_on_sigterm(lrsearch: Command, tmp_path: Path) -> None:
    """One process, from an empty storage to the signal, with its log as JSON and its metrics."""
    url = f"sqlite:///{tmp_path}/lrsearch.db"
    command = [sys.executable, "-m", "lrsearch", "worker", "--log-format", "json", "--metrics-port", "0"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        first, second = (json.loads(process.stderr.readline()) for _ in range(2))
        assert first["pid"] == process.pid
        lrsearch("study", "create", "small.toml", "--set", "training.epochs=5000", "--set", "study.trials=100")
        wait_until(lambda: any(trial.state.name == "RUNNING" for trial in trials_of(url, "small")), process)
        for path, words in {"metrics": b"lrsearch_epochs_total", "healthz": b"ok"}.items():
            with urllib.request.urlopen(f"http://127.0.0.1:{second['metrics_port']}/{path}", timeout=20) as answer:
                assert words in answer.read()
        assert {c.laddr.ip for c in psutil.Process(process.pid).net_connections() if c.status == "LISTEN"} == {
            "127.0.0.1"
        }
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert "handed back" in json.loads(errors.splitlines()[-1])["message"]
    counts = counts_of(url, "small")
    assert (counts.running, counts.failed, counts.retried) == (0, 0, counts.waiting)


def test_it_ends_when_there_is_nothing_to_do(here: Command, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(
        '[study]\nname = "small"\ntrials = 3\n[task]\nname = "polynomial"\nrows = 60\n'
        "[training]\nepochs = 2\n[confirm]\ntop = 0\n"
    )
    here("study", "create", "small.toml")
    done = here("worker", "--exit-when-idle", "--study", "small")
    assert done.returncode == 0, done.stderr
    assert "small: trial 2 " in done.stderr
    assert done.stderr.splitlines()[-1].endswith("Nothing is left to do.")
    refused = here("worker", "--study", "smal")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
