"""Databases that Optuna alone has written: shown and reported on, and never run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


def objective(trial: optuna.Trial) -> float:
    """Parameters with other names and of every kind, and one trial that fails."""
    x = trial.suggest_float("x", -3, 3)
    trial.suggest_categorical("kind", ["a", None, True, 3])
    depth = trial.suggest_int("depth", 1, 9)
    for step in range(0, 30, 10):
        trial.report(x + step, step)
    if trial.number == 4:
        raise optuna.TrialPruned
    if trial.number == 5:
        raise ZeroDivisionError
    return x * depth


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Studies as a script with Optuna's defaults leaves them."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/lrsearch.db")
    for name, direction in (("up", "maximize"), ("down", "minimize")):
        study = optuna.create_study(study_name=name, storage=storage, direction=direction)
        study.optimize(objective, n_trials=8, catch=ZeroDivisionError)
    several = optuna.create_study(study_name="several", storage=storage, directions=["minimize", "maximize"])
    several.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 1.0), n_trials=2)
    optuna.create_study(study_name="empty", storage=storage)
    optuna.create_study(study_name="started", storage=storage).ask()
    storage.remove_session()
    storage.engine.dispose()
    return tmp_path


def read(lrsearch: Command, *arguments: str) -> object:
    done = lrsearch(*arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_all_studies_are_listed(lrsearch: Command, plain: Path) -> None:
    rows = read(lrsearch, "study", "list")
    assert isinstance(rows, list)
    assert [row["name"] for row in rows] == ["up", "down", "several", "empty", "started"]
    best = {row["name"]: row["best"] for row in rows}
    assert best["up"] > best["down"]
    assert best["several"] is best["empty"] is best["started"] is None
    assert rows[4]["running"] == 1


@pytest.mark.parametrize("name", ["up", "down", "empty", "started"])
def test_a_study_is_shown_and_reported_on(name: str, lrsearch: Command, plain: Path) -> None:
    shown = read(lrsearch, "study", "show", name)
    assert isinstance(shown, dict)
    assert shown["trials"]["budget"] is None
    assert shown["definition"] is None
    report = lrsearch("report", name)
    assert report.returncode == 0, report.stderr
    assert (plain / "reports" / name / "report.md").is_file()


def test_tables_show_it_too(lrsearch: Command, plain: Path) -> None:
    for command in (["study", "show", "up"], ["trial", "list", "up"], ["trial", "list", "several"]):
        assert lrsearch(*command).returncode == 0


def test_the_best_of_a_maximised_study_is_its_largest(lrsearch: Command, plain: Path) -> None:
    values = [row["value"] for row in read(lrsearch, "trial", "list", "up") if row["state"] == "complete"]  # type: ignore
    assert read(lrsearch, "study", "best", "up")["value"] == max(values)  # type: ignore[index]


@pytest.mark.parametrize("command", [["study", "show"], ["study", "best"], ["report"]])
def test_several_objectives_are_said_clearly(command: list[str], lrsearch: Command, plain: Path) -> None:
    refused = lrsearch(*command, "several")
    assert refused.returncode == 2
    assert "has 2 objectives" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["up", "several"])
def test_it_is_not_run(name: str, lrsearch: Command, plain: Path) -> None:
    refused = lrsearch("study", "run", name)
    assert refused.returncode == 2
    assert "was not created by lrsearch" in refused.stderr


def test_its_running_trials_are_not_taken_to_be_lost(lrsearch: Command, plain: Path) -> None:
    assert read(lrsearch, "trial", "reap", "started") == {"study": "started", "lost": []}
    shown = read(lrsearch, "storage", "check")
    assert isinstance(shown, dict)
    assert (shown["running"], shown["stale"]) == (1, {})


def rates(trial: optuna.Trial) -> float:
    """Two rates under names of other people, one of them on a log scale."""
    rate = trial.suggest_float("optim.learning_rate", 1e-4, 1.0, log=True)
    trial.suggest_float("step_size_decay", 0.1, 1.0)
    depth = trial.suggest_int("depth", 1, 3)
    if trial.number % 2:
        trial.report(rate + 1, 1)
    return (rate - 0.01) ** 2 + depth


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Rates under other names: one that can be guessed, two that cannot, falling and rising values."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/lrsearch.db")
    for name, direction in (("one", "minimize"), ("rising", "maximize")):
        study = optuna.create_study(study_name=name, storage=storage, direction=direction)
        study.optimize(rates, n_trials=6)
    two = optuna.create_study(study_name="two", storage=storage)
    two.optimize(
        lambda trial: trial.suggest_float("lr_head", 0.1, 1, log=True) + trial.suggest_float("lr_body", 1, 2, log=True),
        n_trials=4,
    )
    storage.remove_session()
    storage.engine.dispose()
    return tmp_path


@pytest.mark.parametrize("name", ["one", "rising"])
def test_the_learning_rate_is_guessed_from_its_name(name: str, lrsearch: Command, foreign: Path) -> None:
    done = lrsearch("report", name)
    assert done.returncode == 0, done.stderr
    text = (foreign / "reports" / name / "report.md").read_text(encoding="utf-8")
    assert "its parameter `optim.learning_rate`" in text
    assert (foreign / "reports" / name / "figures" / "lr_against_value.png").is_file()


def test_several_that_may_be_the_learning_rate_are_named(lrsearch: Command, foreign: Path) -> None:
    refused = lrsearch("report", "two")
    assert refused.returncode == 2
    assert "lr_body, lr_head may each be the learning rate; say which: --lr-parameter lr_body" in refused.stderr
    done = lrsearch("report", "two", "--lr-parameter", "lr_head")
    assert done.returncode == 0, done.stderr
    assert "its parameter `lr_head`" in (foreign / "reports" / "two" / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("parameter", "words"), [("lr_heed", "did you mean lr_head"), ("depth", "no such parameter"), ("lr", "lr_body")]
)
def test_another_parameter_is_refused(parameter: str, words: str, lrsearch: Command, foreign: Path) -> None:
    refused = lrsearch("report", "two", "--lr-parameter", parameter)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
