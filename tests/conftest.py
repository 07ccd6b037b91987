"""What all tests share: one thread, and a quick study definition."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import optuna
import pytest
import torch
from databases import KINDS, KeptDatabases, fresh_database
from forgotten import forgotten

from lrsearch.study_file.load import parse
from lrsearch.study_file.model import Definition
from lrsearch.tasks.loading import PREFIX

optuna.logging.set_verbosity(optuna.logging.ERROR)
# A busy machine is no fault of a formula.
hypothesis.settings.register_profile("lrsearch", deadline=None)
hypothesis.settings.load_profile("lrsearch")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests find out on this machine is theirs, and that of the processes that they start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """The thread count changes the last bits of a sum."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _loaded_files(request: pytest.FixtureRequest) -> Iterator[None]:
    """Training processes load what their parent has loaded: nothing of a test that has ended."""
    yield
    folder = request.node.funcargs.get("tmp_path")
    for name, module in list(sys.modules.items()) if folder is not None else ():
        if name.startswith(PREFIX) and str(module.__file__).startswith(f"{folder}{os.sep}"):
            del sys.modules[name]


@pytest.fixture(scope="session")
def kept_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeptDatabases]:
    with ExitStack() as stack:
        yield KeptDatabases(tmp_path_factory.mktemp("databases"), stack)


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, kept_databases: KeptDatabases, tmp_path: Path) -> str:
    """URL of a database with Optuna's tables, in which nothing is: SQLite, PostgreSQL and MariaDB in turn.

    Tests that want some kinds only say `@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)`.
    """
    return kept_databases.take(request.param, tmp_path)


@pytest.fixture(params=KINDS)
def fresh_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database of its own without any tables, for tests that make, change or wreck them."""
    with fresh_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def define() -> Callable[..., Definition]:
    """Makes a small definition; keyword arguments replace whole sections."""

    def make(**sections: Any) -> Definition:
        document: dict[str, Any] = {
            "study": {"name": "small", "trials": 6},
            "task": {"name": "polynomial", "rows": 60, "holdout_rows": 10},
            "training": {"epochs": 4, "batch_size": 14},
            "search": {"schedulers": ["constant", "lambda"]},
            "confirm": {"top": 0},
            **sections,
        }
        return parse(document, "test")

    return make


@cache
def _all_commands() -> Any:
    import typer.main

    from lrsearch.cli.app import app

    return typer.main.get_command(app)


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Runs a command in a folder of its own, in this very process: it starts at once."""
    from lrsearch.cli import app  # it takes a moment, and few tests type commands

    # Typer would make all commands anew for every command line.
    monkeypatch.setattr(app, "app", _all_commands())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LRSEARCH_STORAGE", raising=False)

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["lrsearch", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code: int | str | None = 0
        with warnings.catch_warnings():
            warnings.resetwarnings()
            try:
                app.main()
            except SystemExit as ended:
                code = ended.code
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, int(code or 0), printed.out, printed.err)

    with forgotten(tmp_path):
        yield run
