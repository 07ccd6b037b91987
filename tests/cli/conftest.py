"""A command line to type at: real processes in a folder of their own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forgotten import forgotten

LRSEARCH = [sys.executable, "-m", "lrsearch"]
SMALL = """
[study]
name = "small"
trials = 5
[task]
name = "polynomial"
rows = 60
[training]
epochs = 4
[search]
schedulers = ["constant", "lambda"]
"""


@pytest.fixture
def lrsearch(
    tmp_path: Path, here: Callable[..., subprocess.CompletedProcess[str]]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command in a folder of its own that holds small.toml; in a process of its own where variables change."""
    (tmp_path / "small.toml").write_text(SMALL)
    environment = {key: value for key, value in os.environ.items() if key != "LRSEARCH_STORAGE"}

    def run(*arguments: str, stdin: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
        if not changes:
            return here(*arguments, stdin=stdin)
        return subprocess.run(
            [*LRSEARCH, *arguments],
            cwd=tmp_path,
            env={**environment, **changes},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Runs a command in a folder of its own, in this very process: it starts at once."""
    from lrsearch.cli.app import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LRSEARCH_STORAGE", raising=False)

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["lrsearch", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code: int | str | None = 0
        with warnings.catch_warnings():
            warnings.resetwarnings()
            try:
                main()
            except SystemExit as ended:
                code = ended.code
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, int(code or 0), printed.out, printed.err)

    with forgotten(tmp_path):
        yield run
