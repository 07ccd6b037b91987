"""No line that any command prints, and no file that it writes, has a password of the storage's URL in it."""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from lrsearch.cli.dashboard import ServerOptions, open_server
from lrsearch.launch.ray.actor import Assignment
from lrsearch.storage.opened import closed_afterwards
from lrsearch.storage.rdb import absolute

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SECRET = "Xy7qSecret"
PLACES = ("me:{}@{host}/{db}", "{host}/{db}?user=me&password={}", "me@{host}/{db}?sslpassword={}",
          "me@{host}/{db}?options=-c%20app.key%3D{}&password={}", "me:{}%40x@{host}/{db}")  # fmt: skip
COMMANDS = (
    ("storage", "check"), ("storage", "check", "--format", "json"), ("storage", "upgrade"),
    ("study", "create", "small.toml"), ("study", "create", "small.toml", "--skip-if-exists"),
    ("study", "create", "small.toml"), ("study", "run", "small"), ("study", "run", "nope"),
    ("study", "run", "small.toml", "--quiet"), ("study", "list"), ("study", "show", "small"),
    ("study", "show", "small", "--format", "json"), ("study", "best", "small"),
    ("study", "confirm", "small", "--top", "1", "--seeds", "2", "--engine", "sequential"),
    ("study", "export", "small", "--output", "all.json"), ("study", "stop", "small"), ("trial", "list", "small"),
    ("trial", "show", "small", "0"), ("trial", "exclude", "small", "0"), ("trial", "reap", "small"),
    ("report", "small", "--publish", "--artifacts", "artifacts"), ("train", "--from-study", "small", "--epochs", "1"),
    ("worker", "--exit-when-idle", "--log-format", "json"),
    ("worker", "--study", "nope"), ("judge", "nope.csv"), ("dashboard", "--host", "0.0.0.0"),
    ("serve", "--host", "0.0.0.0"), ("lr-find", "--task", "nope"), ("study", "delete", "small", "--yes"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _connections_end_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("LRSEARCH_TOKEN", raising=False)
    yield
    gc.collect()


def check(done: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert SECRET not in done.stdout + done.stderr, done.args
    assert "Traceback" not in done.stderr, done.args
    for file in folder.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), (done.args, file)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_no_command_tells_the_password_of_a_storage_that_it_uses(
    database_url: str, lrsearch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that asks for no password is given one in every place that is not checked by the driver."""
    url = make_url(database_url).set(password=SECRET).update_query_dict({"sslpassword": SECRET})
    storage = url.render_as_string(hide_password=False)
    for words in COMMANDS:
        done = lrsearch(*words, *(() if words[0] in ("judge", "lr-find") else ("--storage", storage)))
        expected = (2,) if {"nope", "nope.csv", "0.0.0.0"} & {*words} else (0,)
        assert done.returncode in (*expected, 2 if words == ("study", "create", "small.toml") else 0), done.stderr
        check(done, tmp_path)
    monkeypatch.setenv("LRSEARCH_STORAGE", storage)
    check(lrsearch("study", "list"), tmp_path)


@pytest.mark.parametrize("place", PLACES)
def test_no_command_tells_the_password_of_a_storage_that_it_cannot_reach(
    lrsearch: Run, tmp_path: Path, place: str
) -> None:
    """Nor where a URL stands in the place of something else."""
    for kind in ("postgresql", "mysql", "nonsense"):
        storage = f"{kind}://" + place.replace("{}", SECRET).format(host="127.0.0.1:1", db="x")
        for words in (*COMMANDS[:1], *COMMANDS[3:4], *COMMANDS[9:10],
                      ("worker", "--study", storage, "--log-format", "x"),
                      ("study", "show", storage), ("dashboard",), ("train", "--from-study", storage)):  # fmt: skip
            done = lrsearch(*words, "--storage", storage)
            assert done.returncode == 2, (words, done.stderr)
            check(done, tmp_path)
        check(lrsearch("study", "shw", storage), tmp_path)
        check(lrsearch("study", "list", storage), tmp_path)
        check(lrsearch("study", "list", f"--storag={storage}"), tmp_path)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_the_dashboards_log_and_rays_have_no_password(
    database_url: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Whatever level they are at; Ray writes down what it is handed as its repr."""
    url = make_url(database_url).set(password=SECRET)
    caplog.set_level("DEBUG")
    storage = url.render_as_string(hide_password=False)
    with closed_afterwards():
        server = open_server(storage, ServerOptions("127.0.0.1", 0, "token", (), False, str(tmp_path)))
        rounds = iter([False, False, True])
        server.run(lambda: next(rounds))
    printed = capfd.readouterr()
    assert SECRET not in printed.out + printed.err + caplog.text
    given = Assignment("small", absolute(storage), ("--quiet",), (), 2, 1)
    assert SECRET not in repr(given) + str([given])
