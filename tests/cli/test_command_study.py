"""A study that runs a command, as a person has it: searched, pruned, confirmed, reported, interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from lrsearch.storage.rdb import open_storage
from lrsearch.study import status
from lrsearch.study import stored as studies

Command = Callable[..., subprocess.CompletedProcess[str]]
CURVE = """
awk -v lr=$1 -v seed=$2 'BEGIN { srand(seed); d = log(lr / 0.05)
  for (e = 1; e <= 6; e++) { print "epoch=" e " test=" d * d + 6 / e + rand() / 10; fflush() } }'
"""
STUDY = """
[study]
name = "shell"
trials = {trials}
[command]
run = "sh run.sh {{lr}} {{seed}}"
[training]
epochs = 6
[search]
lr = {{ low = 0.001, high = 1.0, log = true }}
schedulers = ["constant"]
[confirm]
top = {top}
seeds = 2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def make(script: str = CURVE, trials: int = 8, top: int = 1) -> Path:
        (tmp_path / "run.sh").write_text(script, encoding="utf-8")
        (tmp_path / "my.toml").write_text(STUDY.format(trials=trials, top=top), encoding="utf-8")
        return tmp_path

    return make


def shown(lrsearch: Command, *words: str) -> Any:
    done = lrsearch(*words, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_is_searched_pruned_confirmed_and_reported(lrsearch: Command, folder: Callable[..., Path]) -> None:
    place = folder()
    done = lrsearch("study", "run", "my.toml")
    assert done.returncode == 0, done.stderr
    assert str(place / "lrsearch.output/shell") in done.stderr
    found = shown(lrsearch, "study", "show", "shell")
    assert found["trials"]["complete"] + found["trials"]["pruned"] == 8
    assert found["trials"]["pruned"] > 0
    assert (found["recommended"]["basis"], found["recommended"]["seeds"]) == ("confirmed", 2)
    lr, beside = found["recommended"]["params"]["lr"], [one["lr"] for one in found["recommended"]["valley"]["rates"]]
    for factor in (0.5, 2):
        assert any(one == pytest.approx(lr * factor, rel=1e-4) for one in beside), "a command's rates have flanks, too"
    trial = next(row for row in shown(lrsearch, "trial", "list", "shell") if row["state"] == "pruned")
    output = (place / f"lrsearch.output/shell/trial-{trial['number']}-seed-24.txt").read_text(encoding="utf-8")
    assert "epoch=1 test=" in output
    assert lrsearch("report", "shell").returncode == 0
    assert "[command]" in (place / "reports/shell/report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("study", "run", "my.toml", "--engine", "batched"), "no task that an engine could train"),
        (("train", "--from-study", "shell"), "no task to train here"),
        (("lr-find", "--task", "polynomial", "--write", "my.toml"), "no task whose range"),
    ],
)
def test_what_needs_a_task_says_so_in_one_line(
    lrsearch: Command, folder: Callable[..., Path], words: tuple[str, ...], told: str
) -> None:
    folder()
    assert lrsearch("study", "create", "my.toml").returncode == 0
    refused = lrsearch(*words)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_one_bad_run_is_one_failed_trial_and_many_are_an_environment(
    lrsearch: Command, folder: Callable[..., Path]
) -> None:
    place = folder("if [ ! -e once ]; then touch once; echo no space left; exit 2; fi" + CURVE, trials=3, top=0)
    done = lrsearch("study", "run", "my.toml")
    assert done.returncode == 0, done.stderr
    rows = shown(lrsearch, "trial", "list", "shell")
    assert [row["state"] for row in rows] == ["failed", "complete", "complete"]
    (place / "run.sh").write_text("echo broken; exit 2", encoding="utf-8")
    broken = lrsearch("study", "run", "shell", "--trials", "20")
    assert broken.returncode == 1
    assert "3 trials failed one after the other" in broken.stderr
    assert "exit code 2; its last lines: broken" in broken.stderr


def test_a_signal_ends_the_run_and_lets_its_settings_wait(folder: Callable[..., Path]) -> None:
    """The process says that it has begun through a pipe; nothing is waited for by the clock."""
    place = folder("echo $$ > started; echo epoch=1 test=1; sleep 600")
    os.mkfifo(place / "started")
    command = [sys.executable, "-m", "lrsearch", "study", "run", "my.toml"]
    with subprocess.Popen(command, cwd=place, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
        pid = int((place / "started").read_text(encoding="utf-8"))
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 130
    assert not Path(f"/proc/{pid}").exists()
    stored = studies.load(open_storage(f"sqlite:///{place}/lrsearch.db"), "shell")
    counts = status.count(stored)
    assert (counts.waiting, counts.running, counts.complete) == (1, 0, 0)


def test_a_worker_runs_no_command_that_only_the_storage_tells(lrsearch: Command, folder: Callable[..., Path]) -> None:
    folder(trials=2, top=0)
    assert lrsearch("study", "create", "my.toml").returncode == 0
    left = lrsearch("worker", "--exit-when-idle")
    assert "Study shell is left out: it runs a command that the storage tells" in left.stderr
    assert shown(lrsearch, "trial", "list", "shell") == []
    assert lrsearch("worker", "--exit-when-idle", "--study", "shell").returncode == 0
    assert len(shown(lrsearch, "trial", "list", "shell")) == 2


def test_a_seed_that_is_not_used_gives_no_verdict(lrsearch: Command, folder: Callable[..., Path]) -> None:
    folder("for e in 1 2 3 4 5 6; do echo epoch=$e test=$1; done", trials=4)
    assert lrsearch("study", "run", "my.toml").returncode == 0
    found = shown(lrsearch, "study", "show", "shell")
    assert found["recommended"]["basis"] == "search"
    assert "seed" in lrsearch("study", "best", "shell").stdout


def test_another_tools_study_is_confirmed_by_a_command(lrsearch: Command, folder: Callable[..., Path]) -> None:
    place = folder()
    theirs = optuna.create_study(storage=f"sqlite:///{place}/lrsearch.db", study_name="theirs")
    axis = {"optim.lr": optuna.distributions.FloatDistribution(0.001, 1.0, log=True)}
    for rate in (0.01, 0.05, 0.5):
        value = abs(rate - 0.05)
        theirs.add_trial(optuna.trial.create_trial(value=value, params={"optim.lr": rate}, distributions=axis))
    run = "sh run.sh {optim.lr} {seed}"
    done = lrsearch("study", "confirm", "theirs", "--command", run, "--seeds", "3", "--workers", "2")
    assert done.returncode == 0, done.stderr
    found = shown(lrsearch, "study", "best", "theirs")
    assert (found["basis"], found["seeds"], found["params"]) == ("confirmed", 3, {"optim.lr": 0.05})
    assert [one["lr"] for one in found["valley"]["rates"]] == [0.01, 0.025, 0.1, 0.5]
    for wrong in (["--no-valley"], ["--lr-parameter", "optim.lr"]):
        refused = lrsearch("study", "confirm", "theirs", *wrong)
        assert refused.returncode == 2
        assert f"{wrong[0]}: goes with --command" in refused.stderr
    refused = lrsearch("study", "confirm", "theirs", "--command", "sh run.sh {optim_lr} {seed}")
    assert refused.returncode == 2
    assert "{optim_lr} is no placeholder; did you mean {optim.lr}" in refused.stderr
