"""When Python searches for garbage: as usual, but for starts and for what makes many objects that stay."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lrsearch import garbage

USUAL = gc.get_threshold()


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.set_threshold(*USUAL)
    gc.unfreeze()
    gc.enable()


def test_a_start_ends_where_training_begins() -> None:
    garbage.search_seldom()
    assert gc.get_threshold() == (garbage.SELDOM, *USUAL[1:])
    garbage.search_as_usual()
    assert gc.get_threshold() == USUAL
    assert gc.get_freeze_count() > 0


def test_who_has_not_started_a_program_keeps_his_own_settings() -> None:
    """Whoever imports lrsearch has set them for reasons of his own."""
    gc.set_threshold(12_345, 7, 8)
    garbage.search_as_usual()
    assert gc.get_threshold() == (12_345, 7, 8)
    assert gc.get_freeze_count() == 0


def test_what_is_not_searched_is_searched_afterwards_unless_nothing_was_before() -> None:
    with garbage.not_searched():
        assert not gc.isenabled()
        with garbage.not_searched():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


ENDING = """
from lrsearch import garbage

class Found:
    def __del__(self):
        print("found")

def leave():
    found = Found()
    found.itself = found

leave()
{}
"""


@pytest.mark.parametrize(("call", "said"), [("", "found\n"), ("garbage.leave_behind()", "")])
def test_what_is_left_behind_is_not_searched_at_the_end(call: str, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", ENDING.format(call)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (said, "")


PROGRAM = """
import gc, sys
from lrsearch.cli import app
from lrsearch.search import runner
begun = []
run = runner.Runner._run
def noted(self, claims):
    starting = gc.get_threshold()[0]
    for event in run(self, claims):
        begun.append((starting, gc.get_threshold()[0]))
        yield event
runner.Runner._run = noted
sys.argv = ["lrsearch", *sys.argv[1:]]
try:
    app.main()
finally:
    print(begun[0])
"""


def test_a_command_starts_so_and_trains_as_usual(tmp_path: Path) -> None:
    """What a model leaves behind may be large, and is looked for as everywhere else."""
    study = (
        '[study]\nname = "one"\ntrials = 1\n[task]\nname = "polynomial"\n[training]\nepochs = 1\n[confirm]\ntop = 0\n'
    )
    file = tmp_path / "one.toml"
    file.write_text(study)
    arguments = ["study", "run", str(file), "--storage", f"sqlite:///{tmp_path}/one.db", "--engine", "sequential"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == f"({garbage.SELDOM}, {USUAL[0]})"
