"""`lrsearch study confirm`, as it is typed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
STUDY = """
[study]
name = "small"
trials = 4
[task]
name = "polynomial"
rows = 60
holdout_rows = 20
[training]
epochs = 3
[search]
schedulers = ["constant", "lambda"]
[pruner]
name = "none"
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(f"{STUDY}[confirm]\ncontestants = []\ntop = 0\n")
    (tmp_path / "confirmed.toml").write_text(f"{STUDY}[confirm]\ncontestants = []\ntop = 2\nseeds = 2\n")
    return tmp_path


def test_a_study_is_confirmed_and_everything_says_so(here: Command, written: Path) -> None:
    here("study", "run", "small.toml", "--quiet")
    done = here("study", "confirm", "small", "--top", "2", "--seeds", "2", "--format", "json", "--quiet")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["scored_on"], said["rows"], said["seeds"]) == ("holdout", 20, [1000, 1001])
    assert said["recommended"] in [finalist["params"] for finalist in said["finalists"]]
    assert all(len(finalist["values"]) == 2 for finalist in said["finalists"])
    assert said["verdict"].startswith(("Use ", "Nothing seems to be learned here: "))
    best = json.loads(here("study", "best", "small", "--format", "json").stdout)
    assert (best["params"], best["basis"], best["seeds"]) == (said["recommended"], "confirmed", 2)

    listed = json.loads(here("study", "list", "--format", "json").stdout)
    assert [(row["name"], row["confirmed"]) for row in listed] == [("small", 2)]
    shown = json.loads(here("study", "show", "small", "--format", "json").stdout)
    assert shown["confirmation"]["study"] == "small/confirm"
    assert shown["confirmation"]["finished"]
    assert "finalists on 2 fresh seeds" in here("study", "show", "small").stdout
    assert here("report", "small").returncode == 0
    refused = here("report", "small/confirm")
    assert (refused.returncode, "ask for the report of that one" in refused.stderr) == (2, True)
    more = here("study", "confirm", "small", "--seeds", "3", "--workers", "2", "--quiet")
    assert "all 3 seeds" in " ".join(more.stdout.split())
    assert "with its confirmation" in here("study", "delete", "small", "--yes").stderr
    assert json.loads(here("study", "list", "--format", "json").stdout) == []


def test_a_file_with_confirm_is_confirmed_at_the_end_of_its_run(here: Command, written: Path) -> None:
    """Not after a run that leaves trials to do, and only once."""
    here("study", "run", "confirmed.toml", "--quiet", "--timeout", "0")
    assert json.loads(here("study", "show", "small", "--format", "json").stdout)["confirmation"] is None
    assert here("study", "run", "small", "--quiet").returncode == 0
    first = json.loads(here("study", "confirm", "small", "--format", "json").stdout)
    assert len(first["seeds"]) == 2
    assert here("study", "run", "confirmed.toml", "--quiet").returncode == 0
    assert json.loads(here("study", "confirm", "small", "--format", "json").stdout) == first


def test_what_cannot_be_confirmed_exits_with_2(here: Command, written: Path) -> None:
    here("study", "create", "small.toml")
    nothing = here("study", "confirm", "small")
    assert (nothing.returncode, "nothing to confirm" in nothing.stderr) == (2, True)
    unknown = here("study", "confirm", "smal")
    assert (unknown.returncode, "did you mean small?" in unknown.stderr) == (2, True)
    wrong = here("study", "confirm", "small", "--engine", "bached")
    assert wrong.returncode == 2


@pytest.mark.parametrize("seeds", ["", "seeds = 3"], ids=["in rounds", "on three seeds"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_exported_runs_judged_give_the_verdict_of_the_study(
    seeds: str, suffix: str, here: Command, tmp_path: Path
) -> None:
    (tmp_path / "small.toml").write_text(
        f'{STUDY}[confirm]\ncontestants = []\ntop = 2\n{seeds}\n[[try]]\nlr = 0.02\nscheduler = "constant"\n'
    )
    assert here("study", "run", "small.toml", "--quiet").returncode == 0
    assert here("study", "export", "small", "--finalists", "--output", f"runs.{suffix}").returncode == 0
    judged = here("judge", f"runs.{suffix}", "--value", "value", "--settings", "lr,scheduler", "--format", "json")
    assert judged.returncode == 0, judged.stderr
    said, best = json.loads(judged.stdout), json.loads(here("study", "best", "small", "--format", "json").stdout)
    assert set(said) == {"recommended", "settings", "wanted"}
    own = {"study": f"runs.{suffix}", "basis": "runs", "rows": None, "code": None, "valley": None}
    assert said["recommended"] == {**best, **own}
    assert best["params"] in [row["params"] for row in said["settings"]]


def test_what_is_not_confirmed_has_no_finalists_to_export(here: Command, written: Path) -> None:
    here("study", "create", "small.toml")
    done = here("study", "export", "small", "--finalists", "--output", "runs.csv")
    assert (done.returncode, "has no confirmed runs yet" in done.stderr) == (2, True)
    both = here("study", "export", "small", "--finalists", "--curves", "--output", "runs.csv")
    assert (both.returncode, "choose one" in both.stderr) == (2, True)
