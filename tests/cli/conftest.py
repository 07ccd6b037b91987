"""A command line to type at: real processes in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

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
[confirm]
top = 0
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
