"""`lrsearch report --publish`: into the dashboard instead of a folder."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import optuna
import optuna_dashboard
from databases import opened

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_report_is_published_once(here: Command, tmp_path: Path) -> None:
    """A study of plain Optuna will do; its artifacts lie beside the database."""
    url = f"sqlite:///{tmp_path}/lrsearch.db"
    study = optuna.create_study(study_name="plain", storage=url)
    study.optimize(lambda trial: trial.suggest_float("lr", 0.01, 0.1, log=True), n_trials=3)
    done = here("report", "plain", "--publish")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Published study plain; its artifacts are in lrsearch.artifacts." in done.stderr
    assert list((tmp_path / "lrsearch.artifacts").iterdir())
    with opened(url, "plain") as stored:
        assert optuna_dashboard.get_note(stored.study).startswith("# Learning-rate report: plain")
    assert "is published as it is" in here("report", "plain", "--publish").stderr
    refused = here("report", "plain", "--publish", "--output", "folder")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
