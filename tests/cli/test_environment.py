"""What the environment hands to a command is input, too: a command ends in its answer or in one message."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LRSEARCH = f"{sys.executable} -m lrsearch"
SMALL = """
[study]
name = "small"
trials = 2
[task]
name = "polynomial"
rows = 60
[training]
epochs = 2
[search]
schedulers = ["constant"]
[confirm]
top = 0
"""


def shell(command: str, folder: Path, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in an environment with some variables changed, or taken away."""
    environment = {key: value for key, value in {**os.environ, **changes}.items() if value is not None}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=folder, env=environment, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that has been run."""
    folder = tmp_path_factory.mktemp("environment")
    (folder / "small.toml").write_text(SMALL)
    done = shell(f"{LRSEARCH} study run small.toml --quiet", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (f"{LRSEARCH} trial list small --format json | head -1", (0, 1), ""),
        (f"{LRSEARCH} study show nope <&- >&- 2>&-", (2,), ""),
        (f"mkdir -p gone; cd gone; rmdir ../gone; {LRSEARCH} study list", (2,), "does not exist any more"),
        (f"{LRSEARCH} study list > /dev/full", (1,), "cannot be written"),
    ],
    ids=["head", "all", "folder", "full"],
)
def test_streams_and_folders_that_are_not_there(made: Path, command: str, code: tuple[int, ...], said: str) -> None:
    """Each as a shell makes it."""
    done = shell(command, made)
    assert done.returncode in code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(done.stderr.splitlines()) <= 3, done.stderr
    assert said in done.stderr


def test_no_home_and_no_cache(made: Path) -> None:
    """A report is drawn all the same, whatever else the environment says to matplotlib."""
    blocked = made / "blocked"
    blocked.write_text("a file where a folder is wanted")
    here = {"HOME": None, "XDG_CACHE_HOME": str(blocked), "XDG_CONFIG_HOME": str(blocked), "MPLCONFIGDIR": None}
    done = shell(f"{LRSEARCH} report small", made, **here, MPLBACKEND="nonsense", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (made / "reports" / "small" / "report.md").is_file()
    done = shell(f"{LRSEARCH} study list", made, HOME="/no/such/folder", COLUMNS="x", TERM="nonsense", LINES="-3")
    assert (done.returncode, done.stderr) == (0, "")
