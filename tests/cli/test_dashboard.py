"""`lrsearch dashboard` as a process: how it starts, whom it refuses, how it ends."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError

import optuna
import pytest

LRSEARCH = [sys.executable, "-m", "lrsearch"]
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A folder with an empty study in the default storage."""
    optuna.create_study(study_name="empty", storage=f"sqlite:///{tmp_path}/lrsearch.db")
    return tmp_path


@contextmanager
def dashboard(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A dashboard process, and where it answers."""
    command = [*LRSEARCH, "dashboard", "--port", "0", *arguments]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://\S+/", line)
        assert found, line
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


def ask(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_it_asks_for_the_token_and_keeps_it_to_itself(database: Path) -> None:
    (database / "token").write_text("hunter2hunter2\n")
    with dashboard(database, "--token-file", "token") as (process, url):
        assert ask(f"{url}api/studies") == 401
        assert ask(f"{url}api/studies", Authorization="Bearer hunter2hunter2") == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "hunter2" not in errors


def test_without_a_token_it_serves_this_machine_alone(database: Path) -> None:
    with dashboard(database) as (process, url):
        assert ask(f"{url}api/studies") == 200
        assert ask(f"{url}api/studies", Host="evil.example") == 421
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], 'command line: --host = "0.0.0.0": others can reach this address, so it needs a token'),
        (["--token", " "], "the token is empty"),
        (["--token", "a", "--token-file", "b"], "name the token once"),
        (["--allowed-host", "https://a.example"], "must be a host name"),
        (["--host", "192.0.2.1", "--token", "t0ken"], "is not an address of this machine"),
        (["--artifacts", "lrsearch.db"], "must be a folder"),
    ],
)
def test_what_is_wrong_is_one_message(
    here: Command, database: Path, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LRSEARCH_TOKEN", raising=False)
    refused = here("dashboard", "--port", "0", *arguments)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "t0ken" not in refused.stderr


def test_a_port_that_is_taken_is_named(here: Command, database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = here("dashboard", "--port", str(port))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert f"--port = {port}: another program listens there already" in refused.stderr


def test_a_storage_that_is_not_there_is_not_made(here: Command, tmp_path: Path) -> None:
    refused = here("dashboard", "--port", "0")
    assert refused.returncode == 2
    assert "there is no such database yet" in refused.stderr
    assert not list(tmp_path.iterdir())
