"""A database that version 0.1 wrote: all of it can be looked at, and nothing of it is trained."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import lrsearch
from lrsearch.dashboard.artifacts import ArtifactFolder
from lrsearch.dashboard.publish import CHECKPOINT, CURVE, publish
from lrsearch.dashboard.published import Published
from lrsearch.errors import InputError
from lrsearch.storage.rdb import open_storage
from lrsearch.study import confirmation, control, status
from lrsearch.study import stored as studies

Command = Callable[..., subprocess.CompletedProcess[str]]
DUMP = Path(__file__).parent / "version_0_1.sql"
FILE = """
[study]
name = "half"
trials = 8
[task]
name = "polynomial"
rows = 20
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The database as a file of its own."""
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))
    connection.close()
    return file


@pytest.fixture
def url(database: Path) -> str:
    return f"sqlite:///{database}"


@pytest.fixture
def old(here: Command, url: str) -> Command:
    """Runs a command on the database."""
    return lambda *arguments: here(*arguments, "--storage", url)


def dump(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    lines = list(connection.iterdump())
    connection.close()
    return lines


def refusal(name: str) -> str:
    return (
        f"study {name}: was created by lrsearch 0.1.0, and {lrsearch.__version__} trains differently: the numbers "
        "would not be the same. It can be listed, shown, reported and exported; to train it, create it again from "
        "its file, or install lrsearch 0.1"
    )


def parsed(done: subprocess.CompletedProcess[str]) -> object:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_studies_are_listed_and_shown(old: Command) -> None:
    rows = parsed(old("study", "list", "--format", "json"))
    assert isinstance(rows, list)
    assert [(row["name"], row["trials"], row["finished"], row["waiting"], row["confirmed"]) for row in rows] == [
        ("confirmed", 4, 4, 0, 2),
        ("half", 8, 5, 1, None),
        ("plain", None, 4, 0, None),
    ]
    half = parsed(old("study", "show", "half", "--format", "json"))
    assert isinstance(half, dict)
    counts = half["trials"]
    assert [counts[kind] for kind in ("complete", "pruned", "failed", "retried", "diverged")] == [3, 1, 1, 1, 1]
    assert half["version"] == "0.1.0"
    assert half["best"]["number"] == 1, "trial 2 is excluded"
    confirmed = parsed(old("study", "show", "confirmed", "--format", "json"))
    assert isinstance(confirmed, dict)
    assert confirmed["confirmation"] == {
        "study": "confirmed/confirm", "finalists": 3, "seeds": [1000, 1001], "finished": True
    }  # fmt: skip


@pytest.mark.parametrize(("name", "basis"), [("confirmed", "confirmed"), ("half", "search"), ("plain", "search")])
def test_the_recommended_settings_are_found(old: Command, name: str, basis: str) -> None:
    best = parsed(old("study", "best", name, "--format", "json"))
    assert isinstance(best, dict)
    assert best["basis"] == basis
    if name == "half":
        assert best["number"] == 1, "trial 2 is excluded"


def test_trials_are_listed_and_shown(old: Command) -> None:
    rows = parsed(old("trial", "list", "half", "--format", "json"))
    assert isinstance(rows, list)
    states = ["diverged", "complete", "complete", "pruned", "failed", "retried", "waiting"]
    assert [row["state"] for row in rows] == states
    assert rows[2]["excluded"] == "wrong data"
    shown = parsed(old("trial", "show", "half", "1", "--format", "json"))
    assert isinstance(shown, dict)
    assert [row["epoch"] for row in shown["curves"]] == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["confirmed", "half", "plain"])
def test_studies_are_reported_and_exported(old: Command, database: Path, tmp_path: Path, name: str) -> None:
    before = dump(database)
    done = old("report", name, "--output", str(tmp_path / "report"))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "report" / "report.md").read_text()
    assert text.startswith(f"# Learning-rate report: {name}")
    if name != "plain":
        assert "Created by lrsearch 0.1.0." in text
    for suffix in ("csv", "json"):
        done = old("study", "export", name, "--output", str(tmp_path / f"trials.{suffix}"))
        assert done.returncode == 0, done.stderr
    trials = len(pd.read_csv(tmp_path / "trials.csv"))
    assert trials == len(json.loads((tmp_path / "trials.json").read_text())) == {"half": 7}.get(name, 4)
    assert dump(database) == before


def test_frames_are_loaded(url: str) -> None:
    frames = lrsearch.load_frames("confirmed", storage=url)
    assert (frames.version, len(frames.trials), len(frames.curves)) == ("0.1.0", 4, 8)
    assert frames.evidence is not None
    assert [len(contender.values) for contender in frames.evidence.contenders] == [2, 2, 2]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["study", "run", "half"], "half"),
        (["study", "run", "half", "--trials", "9"], "half"),
        (["study", "run", "confirmed/confirm"], "confirmed/confirm"),
        (["study", "run", "half.toml"], "half"),
        (["study", "confirm", "half"], "half"),
        (["study", "confirm", "confirmed", "--seeds", "3"], "confirmed"),
        (["train", "--from-study", "half"], "half"),
        (["train", "--from-study", "confirmed", "--trial", "0"], "confirmed"),
        (["worker", "--study", "half", "--exit-when-idle"], "half"),
        (["trial", "reap", "half"], "half"),
    ],
    ids=" ".join,
)
def test_who_would_train_says_why_not_and_changes_nothing(
    old: Command, database: Path, tmp_path: Path, command: list[str], name: str
) -> None:
    (tmp_path / "half.toml").write_text(FILE)
    before = dump(database)
    done = old(*command)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [f"Error: {refusal(name)}"]
    assert dump(database) == before


def test_its_name_is_taken(old: Command, database: Path, tmp_path: Path) -> None:
    (tmp_path / "half.toml").write_text(FILE)
    before = dump(database)
    assert old("study", "create", "half.toml").returncode == 2
    assert (
        "Study half exists already; nothing was changed."
        in old("study", "create", "half.toml", "--skip-if-exists").stderr
    )
    assert old("study", "create", "half.toml", "--name", "again").returncode == 0
    assert len(dump(database)) > len(before)
    assert old("study", "run", "again", "--trials", "8", "--quiet").returncode == 0


def test_a_worker_leaves_them_out_with_a_line_each(old: Command, database: Path) -> None:
    before = dump(database)
    done = old("worker", "--exit-when-idle")
    assert done.returncode == 0, done.stderr
    said = [line[line.index("Study") :] for line in done.stderr.splitlines() if "left out" in line]
    names = ["confirmed", "confirmed/constant", "confirmed/confirm", "half"]
    assert said == [f"Study {name} is left out: {refusal(name)}" for name in names]
    assert dump(database) == before


def test_python_refuses_as_well(url: str, database: Path) -> None:
    before = dump(database)
    for refuse in (
        lambda: lrsearch.run_study("half", storage=url),
        lambda: lrsearch.confirm_study("confirmed", storage=url, seeds=9),
        lambda: next(confirmation.prepare(studies.load(open_storage(url), "confirmed"))),
    ):
        with pytest.raises(InputError, match="the numbers would not be the same"):
            refuse()
    assert dump(database) == before


def test_the_dashboard_gets_everything_but_a_checkpoint(url: str, tmp_path: Path) -> None:
    """Which would be the weights of another run."""
    stored, artifacts = studies.load(open_storage(url), "confirmed"), ArtifactFolder(tmp_path / "artifacts")
    assert publish(stored, artifacts)
    assert not publish(stored, artifacts), "nothing has changed"
    winner = status.best(stored)
    assert winner is not None
    published = Published(stored.study, artifacts)
    assert published.has(CURVE, winner._trial_id)
    assert not published.has(CHECKPOINT)
    published.put("checkpoint.ckpt", b"the weights", winner._trial_id)  # as version 0.1 had published them
    published.remember("something else")
    control.exclude(stored, 3, "so that there is something to publish")
    assert publish(stored, artifacts)
    assert Published(stored.study, artifacts).has("checkpoint.ckpt", winner._trial_id)
