"""What a study may be called, on every path that makes a name."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from databases import close

from lrsearch.errors import InputError
from lrsearch.storage.rdb import open_storage
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition

Run = Callable[..., subprocess.CompletedProcess[str]]
REFUSED = ["-x", "--help", "a.toml", "a\nb", "a\x00b", "a\x1b[1mb", "\ud800", " a", "", "x" * 121, "a\u202eb"]
GOOD = ["a", "a/b", "é", "学习率", "😀 first", "a-b", "x" * 120, 'a"b', "a\\b", "a.b"]
FILE = '[study]\nname = "small"\ntrials = 2\n[task]\nname = "polynomial"\n'


@pytest.mark.parametrize("name", REFUSED)
def test_names_that_commands_or_databases_cannot_keep_are_refused(name: str, define: Callable[..., Definition]) -> None:
    with pytest.raises(InputError, match=r"study\.name"):
        define(study={"name": name})
    built_otherwise = define().model_copy(update={"study": define().study.model_copy(update={"name": name})})
    with pytest.raises(InputError, match=r"study\.name"):
        studies.create(open_storage("sqlite://"), built_otherwise, "mse")


def test_good_names_are_stored_as_written(database_url: str, define: Callable[..., Definition]) -> None:
    storage = open_storage(database_url)
    for name in GOOD:
        studies.create(storage, define(study={"name": name, "trials": 1}), "mse")
    assert studies.names(storage) == GOOD
    close(storage)


@pytest.mark.parametrize("name", ["😀", 'a"b\\', "1", "true"])
def test_the_option_takes_a_name_as_it_is_written(here: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "small.toml").write_text(FILE)
    done = here("study", "create", "small.toml", f"--name={name}", "--dry-run", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["study"] == name
