"""`lrsearch storage` and `trial reap`, as typed."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import optuna
import pytest

from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage

Command = Callable[..., subprocess.CompletedProcess[str]]
SECRET = "postgresql://me:verysecret@127.0.0.1:9/none"


@pytest.fixture
def made(lrsearch: Command, tmp_path: Path) -> Path:
    """The database of a study that waits to be run."""
    assert lrsearch("study", "create", "small.toml").returncode == 0
    # The command has closed it: a connection that ends later would still write to the file.
    assert not (tmp_path / "lrsearch.db-wal").exists()
    return tmp_path / "lrsearch.db"


def set_revision(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()


def test_check_shows_a_good_storage(lrsearch: Command, made: Path) -> None:
    shown = json.loads(lrsearch("storage", "check", "--format", "json").stdout)
    assert (shown["reachable"], shown["studies"], shown["stale"], shown["bulk_writing"]) == (True, 1, {}, True)
    table = lrsearch("storage", "check")
    assert table.returncode == 0
    assert all(word in table.stdout for word in ("reachable", "SQLite", "journal mode", "wal", "file system", "newest"))


def test_check_without_a_database_creates_none(lrsearch: Command, tmp_path: Path) -> None:
    assert lrsearch("storage", "check").returncode == 2
    assert lrsearch("storage", "upgrade").returncode == 2
    assert not (tmp_path / "lrsearch.db").exists()


@pytest.mark.parametrize("verb", ["check", "upgrade"])
def test_an_unreachable_server_is_said_without_its_password(verb: str, lrsearch: Command) -> None:
    found = lrsearch("storage", verb, "--storage", SECRET)
    assert found.returncode == 2
    assert "cannot be opened" in found.stderr
    assert "verysecret" not in found.stdout + found.stderr


def test_a_newer_schema_is_shown_and_refused_untouched(lrsearch: Command, made: Path) -> None:
    set_revision(made, "v9.9.9.a")
    before = made.read_bytes()
    check = lrsearch("storage", "check", "--format", "json")
    assert check.returncode == 2
    assert json.loads(check.stdout)["schema"]["state"] == "newer"
    for command in (["storage", "upgrade"], ["study", "run", "small.toml"]):
        refused = lrsearch(*command)
        assert refused.returncode == 2
        assert "newer Optuna" in refused.stderr
    assert made.read_bytes() == before


def test_an_older_schema_is_upgraded_with_a_copy(lrsearch: Command, made: Path) -> None:
    assert "Nothing to do" in lrsearch("storage", "upgrade").stderr
    set_revision(made, "v3.0.0.d")
    check = lrsearch("storage", "check")
    assert check.returncode == 2
    assert "older than" in check.stdout
    assert "lrsearch storage upgrade" in check.stderr
    done = lrsearch("storage", "upgrade")
    assert done.returncode == 0, done.stderr
    assert "lrsearch.db.v3.0.0.d.copy" in done.stderr
    assert (made.parent / "lrsearch.db.v3.0.0.d.copy").stat().st_size > 10_000
    assert lrsearch("study", "show", "small").returncode == 0


def test_lost_trials_are_shown_and_reaped_once(lrsearch: Command, made: Path) -> None:
    storage = open_storage(f"sqlite:///{made}")
    store = trial_store(optuna.load_study(study_name="small", storage=storage), storage)
    store.claim(2, 5, {**Worker.this().as_dict(), "pid": 2**22 + 1})
    check = lrsearch("storage", "check")
    assert check.returncode == 0
    assert "stale in small" in check.stdout
    assert "lrsearch trial reap small" in check.stderr
    reaped = lrsearch("trial", "reap", "small")
    assert "Trials 0, 1 were lost" in reaped.stderr
    assert "Nothing to do" in lrsearch("trial", "reap", "small", "--grace", "2").stderr
    trials = json.loads(lrsearch("study", "show", "small", "--format", "json").stdout)["trials"]
    assert (trials["retried"], trials["waiting"], trials["running"]) == (2, 2, 0)
