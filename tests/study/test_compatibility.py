"""Who may not train a study says so and takes nothing: another lrsearch, other data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import close, counts_of
from forgotten import forgotten
from optuna.storages import BaseStorage

import lrsearch
from lrsearch.errors import InputError
from lrsearch.report import frames, reproduce
from lrsearch.search.worker import StudyWorker
from lrsearch.signals import Interruption
from lrsearch.storage.attributes import DATA, DEFINITION, VERSION
from lrsearch.storage.rdb import open_storage
from lrsearch.study import compatibility, confirmation
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.repeat import repeatable
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition

TASK = """
import lrsearch, torch

@lrsearch.task
def mine() -> lrsearch.Task:
    x = torch.linspace(-1, 1, {rows})[:, None]
    net = lambda: torch.nn.Linear(1, 1)
    return lrsearch.Task(model=net, train=(x, 2 * x), test=(x + 3, 2 * x), loss="mse", metric="mse")
"""
STUDY = """
[study]
name = "mine"
trials = 4
[task]
name = "mine"
[training]
epochs = 2
[search]
schedulers = ["constant"]
"""


def test_commands_with_other_data_say_so_and_take_nothing(
    here: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command knows nothing of what those before it loaded, as a process of its own."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the file changes faster than Python notices
    url = f"sqlite:///{tmp_path}/s.db"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        with forgotten(tmp_path):
            return here(*arguments, "--load", "mine.py", "--storage", url)

    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "mine.py").write_text(TASK.format(rows=40))
    created = run("study", "create", "study.toml")
    assert created.returncode == 0, created.stderr
    (tmp_path / "mine.py").write_text(TASK.format(rows=30))
    done = run("study", "run", "mine")
    assert done.returncode == 2
    said = "study mine: the data are not those that it was created with: train rows 30 against 40; test rows 30"
    assert said in done.stderr
    worker = run("worker", "--exit-when-idle")
    assert worker.returncode == 0, worker.stderr
    assert worker.stderr.count(f"Study mine is left out: {said}") == 1
    counts = counts_of(url, "mine")
    assert counts.claimed == counts.retried == 0


@pytest.fixture
def storage() -> Iterator[BaseStorage]:
    made = open_storage("sqlite://")
    yield made
    close(made)


@pytest.fixture
def stored(storage: BaseStorage, define: Callable[..., Definition]) -> StoredStudy:
    definition = define()
    return opening.store(storage, definition, opening.build_task(definition))


@pytest.mark.parametrize("version", ["0.99.0", "1.1.0"])
def test_another_version_says_so_and_takes_nothing(
    stored: StoredStudy, storage: BaseStorage, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    created_by = lrsearch.__version__
    monkeypatch.setattr("lrsearch.version.__version__", version)
    said: list[str] = []
    assert list(StudyWorker(storage, [], Interruption(), said.append).events(exit_when_idle=True)) == []
    (line,) = said
    assert line.startswith("Study small is left out: study small: was created by lrsearch ")
    with pytest.raises(InputError, match=f"{created_by}, and {version} trains differently"):
        lrsearch.run_study(stored)
    with pytest.raises(InputError, match="trains differently"):
        repeatable(stored, 0)
    assert stored.trials() == []


def test_a_definition_of_another_version_that_cannot_be_read_names_the_version(stored: StoredStudy) -> None:
    definition = stored.study.user_attrs[DEFINITION]
    stored.study.set_user_attr(DEFINITION, {**definition, "fashion": {"new": 1}})
    stored.study.set_user_attr(VERSION, "7.0.0")
    with pytest.raises(InputError, match=r"created by lrsearch 7\.0\.0, and .* cannot read its definition: fashion"):
        studies.load(stored.storage, "small")


def test_a_third_number_makes_no_difference(stored: StoredStudy) -> None:
    first, second, _ = lrsearch.__version__.split(".", 2)
    stored.study.set_user_attr(VERSION, f"{first}.{second}.999")
    compatibility.check_version(stored)


def test_a_study_without_a_fingerprint_takes_that_of_the_first_who_trains_it(stored: StoredStudy) -> None:
    known = stored.data
    stored.study.set_user_attr(DATA, None)
    opening.task_of(stored)
    assert stored.data == known
    assert known


def test_neither_search_nor_confirmation_goes_on_with_other_data(stored: StoredStudy) -> None:
    lrsearch.run_study(stored)
    assert len(stored.trials()) == 6
    assert stored.data
    stored.study.set_user_attr(DATA, {**stored.data, "train": {"rows": 39}})
    for go_on in (lrsearch.confirm_study, lrsearch.run_study):
        with pytest.raises(InputError, match="train rows 42 against 39"):
            go_on(stored)
    assert studies.names(stored.storage) == ["small"]


def test_a_confirmation_is_held_to_the_data_of_its_search(stored: StoredStudy) -> None:
    lrsearch.run_study(stored)
    linked = confirmation.prepare(stored)
    assert linked.data == stored.data
    assert linked.version == stored.version


def test_the_report_shows_the_fingerprint(stored: StoredStudy) -> None:
    said = " ".join(reproduce.reproduce(frames.read_stored(stored)))
    assert "Rows: 42 train, 18 test, 10 holdout; fingerprint of the data " in said
