"""The verbs that look at, export, stop, exclude and delete."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def done(lrsearch: Command) -> Command:
    """A command line beside a finished study."""
    lrsearch("study", "run", "small.toml", "--quiet")
    return lrsearch


def read(run: Command, *arguments: str) -> Any:
    printed = run(*arguments, "--format", "json")
    assert printed.returncode == 0, printed.stderr
    return json.loads(printed.stdout)


def test_best_gives_settings_and_code_that_runs(done: Command) -> None:
    best = read(done, "study", "best", "small")
    assert best == read(done, "study", "show", "small")["recommended"]
    keys = "study metric direction basis rows params value expected interval seeds number code constant"
    assert list(best) == [*keys.split(), "untrained", "learned", "covers", "valley"]
    scope = {"model": torch.nn.Linear(1, 1)}
    exec(best["code"], scope)
    assert scope["optimizer"].param_groups[0]["lr"] == best["params"]["lr"]  # type: ignore[attr-defined]
    assert best["code"] in done("study", "best", "small").stdout


def test_best_of_a_study_without_trials_says_so(lrsearch: Command) -> None:
    lrsearch("study", "create", "small.toml")
    refused = lrsearch("study", "best", "small")
    assert refused.returncode == 2
    assert "no complete trial" in refused.stderr


def test_trials_are_listed_and_shown(done: Command) -> None:
    rows = read(done, "trial", "list", "small")
    assert [row["number"] for row in rows] == [0, 1, 2, 3, 4]
    assert "constant" in done("trial", "list", "small").stdout
    shown = read(done, "trial", "show", "small", "2")
    assert [row["epoch"] for row in shown["curves"]] == list(range(1, shown["epochs"] + 1))
    assert set(shown["curves"][0]) == {"epoch", "test", "lr", "train"}
    facts = done("trial", "show", "small", "2").stdout.split("epoch ")[0].split()
    assert [facts.count(word) for word in ("scheduler", "lr", "excluded")] == [1, 1, 0]
    refused = done("trial", "show", "small", "9")
    assert refused.returncode == 2
    assert "has trials 0 to 4" in refused.stderr


def test_excluding_a_trial_changes_the_best_and_can_be_undone(done: Command) -> None:
    best = read(done, "study", "show", "small")["best"]
    excluded = done("trial", "exclude", "small", str(best["number"]), "--reason", "wrong <data>")
    assert excluded.returncode == 0
    assert read(done, "study", "show", "small")["best"]["number"] != best["number"]
    assert read(done, "trial", "list", "small")[best["number"]]["excluded"] == "wrong <data>"
    done("report", "small")
    assert done("trial", "exclude", "small", str(best["number"]), "--undo").returncode == 0
    assert read(done, "study", "show", "small")["best"] == best
    assert done("trial", "exclude", "small", str(best["number"]), "--undo").returncode == 2


def test_a_report_says_its_headline_and_prints_its_path_alone(done: Command) -> None:
    told = done("report", "small", "--output", "out")
    assert told.stdout == "out/report.md\n"
    assert " ".join(told.stderr.split()).startswith("Not confirmed: the best of 5 trials used ")


def test_the_report_names_excluded_trials(done: Command, tmp_path: Path) -> None:
    done("trial", "exclude", "small", "1", "--reason", "wrong data")
    done("report", "small", "--output", "out")
    assert "trial 1: wrong data" in (tmp_path / "out" / "report.md").read_text()


def test_export_writes_every_trial(done: Command, tmp_path: Path) -> None:
    assert done("study", "export", "small", "--output", "t.csv").returncode == 0
    assert len(pd.read_csv(tmp_path / "t.csv")) == 5
    assert done("study", "export", "small", "--output", "t.txt").returncode == 2


def test_a_deleted_study_is_gone_and_nothing_else(done: Command) -> None:
    done("study", "create", "small.toml", "--name", "other")
    kept = done("study", "delete", "small", stdin="n\n")
    assert (kept.returncode, len(read(done, "study", "list"))) == (0, 2)
    assert done("study", "delete", "small", stdin="y\n").returncode == 0
    assert [row["name"] for row in read(done, "study", "list")] == ["other"]
    assert done("study", "delete", "other", "--yes").returncode == 0
    assert read(done, "study", "list") == []


def test_a_stopped_study_goes_on_when_it_is_run(lrsearch: Command) -> None:
    lrsearch("study", "create", "small.toml")
    assert lrsearch("study", "stop", "small").returncode == 0
    assert lrsearch("study", "run", "small", "--quiet").returncode == 0
    trials = read(lrsearch, "study", "show", "small")["trials"]
    assert trials["complete"] + trials["pruned"] == 5


def test_a_new_study_file_runs(lrsearch: Command, tmp_path: Path) -> None:
    assert lrsearch("study", "new", "mine.toml", "--from", "lambda_decay").returncode == 0
    assert "LambdaLR" in (tmp_path / "mine.toml").read_text()
    assert lrsearch("study", "create", "mine.toml", "--dry-run").returncode == 0
