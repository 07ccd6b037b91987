"""Every operation through both doors, the command line and Python, on the same file: what is stored is the same."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
import ray_nodes

import lrsearch
from lrsearch.cli.app import main
from lrsearch.registry import tasks
from lrsearch.storage.attributes import AUDIT_SECONDS, PROVENANCE, SECONDS, WORKER

STUDY = """
[study]
name = "small"
trials = 6
[task]
name = "polynomial"
rows = 60
holdout_rows = 20
[training]
epochs = 4
[search]
schedulers = ["constant", "lambda"]
"""
CONFIRM = "[confirm]\ntop = 2\nseeds = 2\ncontestants = []\n"
UNCONFIRMED = "[confirm]\ntop = 0\ncontestants = []\n"
GRID = """
[study]
name = "small"
[task]
name = "polynomial"
rows = 60
[training]
epochs = 3
[search]
lr = { choices = [0.03, 0.01, 0.003, 0.001] }
schedulers = ["constant"]
[sampler]
name = "grid"
[confirm]
top = 0
"""
PASSING = {WORKER, SECONDS, AUDIT_SECONDS, PROVENANCE}
"""Attributes that say who trained a trial and how long it took: they differ from run to run."""


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The command line, with a storage of its own; gives what it writes to stderr."""

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["lrsearch", *arguments, "--storage", url_of(tmp_path, "typed")])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert not ended.value.code, said
        return said

    return call


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The storage of the Python door."""
    monkeypatch.chdir(tmp_path)
    return url_of(tmp_path, "called")


def url_of(folder: Path, door: str) -> str:
    return f"sqlite:///{folder / door}.db"


def file(folder: Path, text: str) -> Path:
    path = folder / "small.toml"
    path.write_text(text)
    return path


def stored(url: str, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """All of a study that does not depend on when and where it was trained: attributes, and trials by number."""
    study = optuna.load_study(study_name=name, storage=url)
    trials = [
        {
            "params": trial.params,
            "state": trial.state.name,
            "values": trial.values,
            "curve": trial.intermediate_values,
            "attributes": {key: value for key, value in trial.user_attrs.items() if key not in PASSING},
            "constraints": trial.constraints,
        }
        for trial in study.get_trials(deepcopy=False)
    ]
    return {key: value for key, value in study.user_attrs.items() if key not in PASSING}, trials


def both(folder: Path, name: str) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    return [stored(url_of(folder, door), name) for door in ("typed", "called")]


def test_a_file_is_run_and_confirmed(
    typed: Callable[..., str], storage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = file(tmp_path, STUDY + CONFIRM)
    # Which engine `auto` takes depends on how busy the machine is.
    said = typed("study", "run", str(path), "--engine", "sequential")
    caplog.set_level(logging.INFO, logger="lrsearch")
    lrsearch.run_study(path, storage=storage, engine="sequential")
    for name in ("small", "small/confirm"):
        by_command, by_function = both(tmp_path, name)
        assert by_command == by_function
    shown = [line for line in said.splitlines() if line.startswith(("Training ", "engine"))]
    # How long it will take, about, is only told on a machine that is slow or busy.
    told, logged = ([line.split(", about ")[0].rstrip(".") for line in lines] for lines in (shown, caplog.messages))
    assert told == logged


def test_nothing_is_printed_by_the_library(storage: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where nobody has configured logging either."""
    lrsearch.run_study(file(tmp_path, STUDY + CONFIRM), storage=storage)
    assert capfd.readouterr() == ("", "")


def test_a_study_is_confirmed_reported_and_exported(typed: Callable[..., str], storage: str, tmp_path: Path) -> None:
    path = file(tmp_path, STUDY + UNCONFIRMED)
    # Which engine `auto` takes, and whether contestants take long, depends on how busy the machine is.
    typed("study", "run", str(path), "--engine", "sequential")
    typed("study", "confirm", "small", "--top", "2", "--seeds", "2", "--engine", "sequential")
    lrsearch.run_study(str(path), storage=storage, engine="sequential")
    evidence = lrsearch.confirm_study("small", top=2, seeds=2, storage=storage, engine="sequential")
    assert evidence.complete
    by_command, by_function = both(tmp_path, "small/confirm")
    assert by_command == by_function
    typed("study", "export", "small", "--output", "typed.csv", "--curves")
    rows = lrsearch.export_study("small", "called.csv", curves=True, storage=storage)
    assert (tmp_path / "typed.csv").read_bytes() == (tmp_path / "called.csv").read_bytes()
    assert rows == len((tmp_path / "called.csv").read_text().splitlines()) - 1
    typed("report", "small", "--output", "typed")
    lrsearch.write_report("small", output="called", storage=storage)
    written = [sorted(path.relative_to(tmp_path / door) for path in (tmp_path / door).rglob("*"))
               for door in ("typed", "called")]  # fmt: skip
    assert written[0] == written[1]
    assert len(written[0]) > 3


def test_a_worker_serves_the_studies_of_a_storage(typed: Callable[..., str], storage: str, tmp_path: Path) -> None:
    """It confirms them, too."""
    path = file(tmp_path, STUDY + CONFIRM)
    typed("study", "create", str(path))
    typed("worker", "--exit-when-idle")
    lrsearch.create_study(path, storage=storage)
    lrsearch.run_worker(storage=storage)
    for name in ("small", "small/confirm"):
        by_command, by_function = both(tmp_path, name)
        assert by_command == by_function
    assert lrsearch.best_settings("small", storage=storage).is_confirmed


def test_who_does_not_want_a_confirmation_says_so(typed: Callable[..., str], storage: str, tmp_path: Path) -> None:
    """A file that differs in that only goes on with the same study."""
    path = file(tmp_path, STUDY)
    typed("study", "run", str(path), "--no-confirm")
    lrsearch.run_study(path, storage=storage, confirm=False)
    for door in ("typed", "called"):
        assert not lrsearch.best_settings("small", storage=url_of(tmp_path, door)).is_confirmed
    file(tmp_path, STUDY + UNCONFIRMED)
    assert lrsearch.run_study(path, storage=storage).definition.confirm.top == 0  # type: ignore[union-attr]
    file(tmp_path, STUDY + CONFIRM)
    lrsearch.run_study(path, storage=storage)
    found = lrsearch.best_settings("small", storage=storage)
    assert (found.basis, found.seeds) == ("confirmed", 2)


def test_several_workers_share_a_grid(typed: Callable[..., str], storage: str, tmp_path: Path) -> None:
    """Who takes which cell depends on timing; what a cell comes to does not."""
    path = file(tmp_path, GRID)
    typed("study", "run", str(path), "--workers", "2", "--engine", "sequential")
    lrsearch.run_study(path, storage=storage, workers=2, engine="sequential")
    values = [
        {trial["params"]["lr"]: (trial["state"], trial["values"], trial["curve"]) for trial in trials}
        for _, trials in both(tmp_path, "small")
    ]
    assert values[0] == values[1]
    assert len(values[0]) == 4
    pids = {trial.user_attrs[WORKER]["pid"] for trial in optuna.load_study(study_name="small", storage=storage).trials}
    assert os.getpid() not in pids


@pytest.mark.soak
def test_a_cluster_of_this_machine_shares_a_grid(typed: Callable[..., str], storage: str, tmp_path: Path) -> None:
    ray_nodes.need_ray()
    path = file(tmp_path, GRID)
    typed("study", "run", str(path), "--cluster", "local", "--engine", "sequential")
    lrsearch.run_study(path, storage=storage, cluster="local", engine="sequential")
    values = [{trial["params"]["lr"]: trial["values"] for trial in trials} for _, trials in both(tmp_path, "small")]
    assert values[0] == values[1]


def test_a_task_of_this_program_only_is_refused_to_workers(
    storage: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A notebook's cell, say. Where nobody asked for several processes, this one trains."""
    definition = tasks.get("polynomial")
    monkeypatch.setattr(definition.function, "__module__", "__main__")
    document = {"study": {"name": "small", "trials": 2}, "task": {"name": "polynomial", "rows": 60},
                "training": {"epochs": 2}, "confirm": {"top": 0}}  # fmt: skip
    study = lrsearch.create_study(document, storage=storage)
    with pytest.raises(lrsearch.InputError, match="task polynomial is defined in this program only"):
        lrsearch.run_study(study, workers=2)
    assert study.trials() == []
    monkeypatch.setattr("lrsearch.training.engine.devices", lambda: ["7", "8"])
    caplog.set_level(logging.INFO, logger="lrsearch")
    lrsearch.run_study(study)
    assert any("One process trains: task polynomial is defined in this program only" in m for m in caplog.messages)
    assert len(study.trials()) == 2
