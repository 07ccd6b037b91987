"""`lrsearch train --checkpoint` and `--resume`: a run that is interrupted, killed or made longer."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from lrsearch.training import checkpoint
from lrsearch.training.definition import parse
from lrsearch.training.loop import train

Command = Callable[..., "subprocess.CompletedProcess[str]"]
SMALL = ("train", "--task", "polynomial", "--set", "task.rows=60", "--epochs", "6")


def rows(file: Path) -> list[dict[str, str]]:
    with file.open() as opened:
        return [{**row, "seconds": ""} for row in csv.DictReader(opened)]


def refused(finished: subprocess.CompletedProcess[str]) -> str:
    """The message, on one line."""
    assert finished.returncode == 2, finished.stderr
    return " ".join(finished.stderr.split())


def test_a_resumed_run_leaves_the_same_files_as_an_uninterrupted_one(here: Command, tmp_path: Path) -> None:
    settings = (*SMALL, "--lr", "0.05", "--scheduler", "plateau", "--patience", "0", "--set", "training.momentum=0.9")
    here(*settings, "--output", "whole.csv", "--checkpoint", "whole.ckpt")
    whole = checkpoint.read(tmp_path / "whole.ckpt")
    # Plateau without a warm-up does not look at the number of epochs, so a run may be begun short and made longer.
    here(*settings, "--epochs", "2", "--checkpoint", "part.ckpt")
    here("train", "--resume", "part.ckpt", "--epochs", "4", "--checkpoint", "other.ckpt")
    assert checkpoint.read(tmp_path / "part.ckpt").epoch == 2
    done = here("train", "--resume", "other.ckpt", "--lr", "0.05", "--epochs", "6", "--output", "parts.csv")
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path / "parts.csv") == rows(tmp_path / "whole.csv")
    resumed = checkpoint.read(tmp_path / "other.ckpt")
    assert (resumed.epoch, resumed.document) == (6, whole.document)
    for name, weights in whole.state["model"].items():
        assert torch.equal(weights, resumed.state["model"][name])


def test_threads_are_part_of_a_checkpoint(here: Command, tmp_path: Path) -> None:
    here(*SMALL, "--lr", "0.05", "--checkpoint", "run.ckpt", "--threads", "2")
    for more, threads in (((), 2), (("--threads", "1"), 1)):
        told = here("train", "--resume", "run.ckpt", "--format", "json", *more).stdout
        assert json.loads(told)["threads"] == threads


def test_a_finished_run_is_only_summarised(here: Command, tmp_path: Path) -> None:
    first = here(*SMALL, "--lr", "0.05", "--checkpoint", "run.ckpt")
    again = here("train", "--resume", "run.ckpt", "--plot", "late.pdf")
    assert again.returncode == 0
    assert again.stdout == first.stdout
    assert (tmp_path / "late.pdf").read_bytes().startswith(b"%PDF")


def test_a_checkpoint_is_not_overwritten_by_another_run_nor_resumed_with_other_settings(
    here: Command, tmp_path: Path
) -> None:
    here(*SMALL, "--lr", "0.05", "--scheduler", "cosine", "--checkpoint", "run.ckpt")
    before = (tmp_path / "run.ckpt").read_bytes()
    assert "go on from it with --resume" in refused(here(*SMALL, "--lr", "0.1", "--checkpoint", "run.ckpt"))
    message = refused(here("train", "--resume", "run.ckpt", "--lr", "0.1", "--final", ".5", "--set", "task.rows=70"))
    assert "--lr = 0.1: the checkpoint has 0.05" in message
    assert "--final = 0.5: the checkpoint has 0.0" in message
    assert "task.rows = 70: the checkpoint has 60" in message
    assert 'the checkpoint has "polynomial"' in refused(here("train", "--resume", "run.ckpt", "--task", "diabetes"))
    assert "laid out for 6 epochs" in refused(here("train", "--resume", "run.ckpt", "--epochs", "9"))
    (tmp_path / "cut.ckpt").write_bytes(before[:-40])
    assert "is no checkpoint, or was cut short" in refused(here("train", "--resume", "cut.ckpt"))
    assert (tmp_path / "run.ckpt").read_bytes() == before


def endless(tmp_path: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lrsearch", *SMALL, "--lr", "0.01", "--epochs", "1000000", "--quiet", *more]
    return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)


def wait_for(process: subprocess.Popen[str], file: Path, changes: int) -> None:
    """Until the file has been seen to change so often, or the process has ended."""
    seen: set[int] = set()
    while len(seen) < changes and process.poll() is None:
        if file.exists():
            seen.add(file.stat().st_mtime_ns)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)  # looking all the time would take a core from the run that is looked at
    assert process.poll() is None


@pytest.mark.parametrize(
    "changes", [pytest.param(1, marks=pytest.mark.soak), 2, pytest.param(50, marks=pytest.mark.soak)]
)
def test_a_killed_run_leaves_a_whole_checkpoint(tmp_path: Path, changes: int) -> None:
    """Killed wherever it happens to be; what is left is what a run of that length gives."""
    process = endless(tmp_path, "--checkpoint", "run.ckpt")
    wait_for(process, tmp_path / "run.ckpt", changes)
    process.kill()
    process.communicate()
    left = checkpoint.read(tmp_path / "run.ckpt")
    definition = parse(left.document, "test")
    run = definition.start(definition.build_task())
    expected = [record.test_metric for record in train(run, left.epoch)]
    assert [record["test_metric"] for record in left.state["records"]] == expected
    assert torch.equal(left.state["random_state"], run.random_state)


def test_ctrl_c_keeps_the_checkpoint_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = endless(tmp_path, "--checkpoint", "my run.ckpt", "--plot", "x.png")
    wait_for(process, tmp_path / "my run.ckpt", 2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.count("\n") == 1
    told = re.search(r"interrupted; (\d+) epochs are in my run.ckpt. Go on with: (.*)\n", errors)
    assert told is not None
    assert told[2] == "lrsearch train --resume 'my run.ckpt' --plot x.png"
    assert checkpoint.read(tmp_path / "my run.ckpt").epoch == int(told[1])
    assert not (tmp_path / "x.png").exists()
