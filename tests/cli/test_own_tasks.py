"""A newcomer's own model: from nothing to a report, and an answer to everything that can be wrong on the way."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lrsearch import registry, tasks
from lrsearch.registry import Registry

Command = Callable[..., subprocess.CompletedProcess[str]]
EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    fresh: Registry[object] = Registry("task", [])
    for name in ("polynomial", "diabetes", "digits"):
        fresh.add(name, registry.tasks.get(name))
    monkeypatch.setattr(registry, "tasks", fresh)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert tasks.Task


def lines_beside_the_model(file: Path) -> int:
    """Lines of code without the docstring, blank lines and the definition of the network."""
    text = file.read_text()
    tree = ast.parse(text)
    skipped = set(range(1, tree.body[0].end_lineno + 1))  # type: ignore[operator]
    for node in tree.body:
        if getattr(node, "name", "").lower() == "network":
            skipped |= set(range(node.lineno, node.end_lineno + 1))  # type: ignore[operator]
    return sum(bool(line.strip()) for number, line in enumerate(text.splitlines(), 1) if number not in skipped)


@pytest.mark.parametrize("name", ["wine", "characters"])
def test_ten_lines_lead_from_nothing_to_a_report(name: str, here: Command, tmp_path: Path) -> None:
    assert here("tasks", "new", f"{name}.py", "--study", f"{name}.toml").returncode == 0
    assert lines_beside_the_model(EXAMPLES / f"{name}.py") <= 10
    text = (EXAMPLES / f"{name}.py").read_text().replace("length: int = 80", "length: int = 20")  # for time's sake
    (tmp_path / f"{name}.py").write_text(text)
    checked = here("tasks", "check", f"{name}.py:{name}")
    # That batches are right does not depend on how busy the machine is; that they are faster does.
    assert re.match(r"engine: (batched|\w+ \(batches would be right here, )", checked.stdout), checked.stdout
    study = tmp_path / f"{name}.toml"
    text = study.read_text().replace("trials = 50", "trials = 4").replace("epochs = 30", "epochs = 3")
    study.write_text(f"{text}\n[confirm]\ntop = 1\nseeds = 2\ncontestants = []\n")
    assert here("study", "run", f"{name}.toml", "--quiet").returncode == 0
    assert here("report", name).returncode == 0
    report = (tmp_path / "reports" / name / "report.md").read_text()
    assert report.splitlines()[2].startswith(("**Use ", "**Nothing seems to be learned here: "))
    assert "scheduler = torch.optim.lr_scheduler" in report


def test_the_template_is_checked_trained_and_searched(here: Command, tmp_path: Path) -> None:
    written = here("tasks", "new", "first.py", "--study", "folder/first.toml")
    assert written.returncode == 2  # there is no such folder
    assert not (tmp_path / "first.py").exists()
    (tmp_path / "folder").mkdir()
    written = here("tasks", "new", "first.py", "--study", "folder/first.toml")
    assert "lrsearch tasks check first.py:first" in written.stderr
    assert 'load = ["../first.py"]' in (tmp_path / "folder/first.toml").read_text()
    checked = here("tasks", "check", "first.py", "--format", "json")
    found = json.loads(checked.stdout)
    assert (found["task"], found["engine"], found["train_rows"], found["parameters"]) == ("first", "batched", 300, 81)
    assert found["study"]["trials"] == 200
    assert found["study"]["seconds"] > 0
    assert here("train", "--task", "first", "--lr", "0.1", "--epochs", "2", "--quiet").returncode == 0
    study = tmp_path / "folder/first.toml"
    study.write_text(study.read_text().replace("trials = 50", "trials = 8") + "\n[confirm]\ncontestants = []\n")
    assert here("study", "run", "folder/first.toml", "--quiet", "--engine", "batched").returncode == 0


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("3rd.py", "valid function name"),
        ("class.py", "valid function name"),
        ("task.txt", "valid function name"),
        ("polynomial.py", 'there is a task "polynomial" already'),
        ("taken.py", "exists already; nothing was written"),
        ("no/where.py", "cannot be written: No such file or directory"),
    ],
)
def test_a_template_is_not_written_where_it_cannot_work(file: str, words: str, here: Command, tmp_path: Path) -> None:
    (tmp_path / "taken.py").write_text("mine = True\n")
    refused = here("tasks", "new", file)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert (tmp_path / "taken.py").read_text() == "mine = True\n"


OWN = """
import lrsearch, torch
X = torch.randn(50, 3)
Y = X.sum(dim=1, keepdim=True)

def made(**parts):
    parts = {"train": (X[:35], Y[:35]), "test": (X[35:], Y[35:]), **parts}
    return lrsearch.Task(lambda: torch.nn.Linear(3, 1), loss="mse", metric="mse", **parts)

@lrsearch.task
def good() -> lrsearch.Task:
    return made()

@lrsearch.task
def flat() -> lrsearch.Task:
    return made(train=(X, Y[:, 0]))

@lrsearch.task
def shared() -> lrsearch.Task:
    return made(test=(X[30:], Y[30:]))

@lrsearch.task
def nothing() -> lrsearch.Task:
    pass

@lrsearch.task
def breaks(*, by: int = 0) -> lrsearch.Task:
    return 1 / by

@lrsearch.task
def lonely() -> lrsearch.Task:
    return lrsearch.Task(
        lambda: torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1)),
        (X[:31], Y[:31]), (X[35:], Y[35:]), "mse", "mse",
    )
"""
STUDY = (
    '[study]\nname = "s"\ntrials = 2\nload = ["own.py"]\n[training]\nepochs = 2\n[confirm]\ntop = 0\n'
    '[task]\nname = "{}"\n'
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "empty.py").write_text("import lrsearch\n")
    return tmp_path


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("own.py:flat", 'task flat: loss = "mse": model output [4, 1], targets [4]: both must have the same shape'),
        ("own.py:nothing", "task nothing: must return an lrsearch.Task, and returned None"),
        ("own.py:breaks", "task breaks: fails: ZeroDivisionError: division by zero (line 28 of own.py)"),
        ("own.py:god", '"own.py:god": no such task in it; there are good, flat, '),
        ("own.py:god", "did you mean good?"),
        ("own.py", "name one of its tasks: own.py:good, own.py:flat"),
        ("empty.py", "registers no task: write @lrsearch.task above a function"),
        ("onw.py:good", '--load: "onw.py": no such file; did you mean own.py'),
        ("own:missing", '"own:missing": no such task in it'),
        ("not_a_module:good", "there is no such module here; a file's name ends in .py"),
    ],
)
def test_what_is_wrong_with_a_task_is_one_message(task: str, words: str, here: Command, own: Path) -> None:
    refused = here("tasks", "check", task)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_model_that_fails_on_the_last_short_batch_is_found(here: Command, own: Path) -> None:
    refused = here("tasks", "check", "own.py:lonely", "--set", "training.batch_size=10")
    assert refused.returncode == 2
    assert "drop_last = false: the last batch of an epoch has" in refused.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["study", "create", "s.toml"],
        ["study", "run", "s.toml"],
        ["train", "--load", "own.py", "--task", "flat", "--lr", "0.1"],
        ["lr-find", "--load", "own.py", "--task", "flat"],
    ],
    ids=["create", "run", "train", "lr-find"],
)
def test_every_command_that_trains_says_it(command: list[str], here: Command, own: Path) -> None:
    (own / "s.toml").write_text(STUDY.format("flat"))
    refused = here(*command)
    assert refused.returncode == 2
    assert "model output [4, 1], targets [4]: both must have the same shape" in refused.stderr
    assert not (own / "lrsearch.db").exists()


def test_shared_rows_are_a_warning_on_stderr(here: Command, own: Path) -> None:
    checked = here("tasks", "check", "own.py:shared")
    assert checked.returncode == 0
    assert (
        checked.stderr == "Warning: task shared: 5 of the 20 test rows are train rows, too (same inputs and targets)\n"
    )
    (own / "s.toml").write_text(STUDY.format("shared"))
    assert here("study", "run", "s.toml", "--quiet").stderr.count("Warning: ") == 1
    assert re.match(r"engine: batched\nrows +35 train, 20 test +\ninputs +\[4, 3\] float32 +\n", checked.stdout)
    direction = r"\nmetric +mse = .* untrained; smaller is better \(minimize\) *\nparameters +4 +\n"
    assert re.search(direction, checked.stdout)


def test_a_worker_imports_nothing_because_the_database_says_so(here: Command, own: Path) -> None:
    """Only what its command line names; the stored name of the file is told, and not opened."""
    (own / "s.toml").write_text(STUDY.format("good"))
    assert here("study", "create", "s.toml").returncode == 0
    registry.tasks = Registry("task", [])
    (own / "own.py").write_text("raise SystemError('imported')\n")
    refused = here("study", "run", "s")
    assert refused.returncode == 2
    assert '"good": the study\'s task is not there; bring it in with --load own.py' in refused.stderr
    (own / "elsewhere.py").write_text(OWN)
    assert here("study", "run", "s", "--load", "elsewhere.py", "--quiet").returncode == 0


def test_larger_models_are_declined_by_the_batched_engine_in_one_line(here: Command, own: Path) -> None:
    checked = here("tasks", "check", "own.py:good", "--set", "training.clip_norm=1.0")
    assert checked.stdout.startswith("engine: sequential (training.clip_norm = 1.0)\n")
    refused = here("tasks", "check", "good", "--set", "training.precision=float16", "--device", "cpu")
    assert refused.returncode == 2
    assert "needs a CUDA device, and this trains on cpu; take float32" in refused.stderr


def test_a_task_is_named_with_its_file_wherever_it_is_trained(here: Command, own: Path) -> None:
    for command in (("train", "--lr", "0.01", "--epochs", "1"), ("lr-find", "--batches", "50", "--seeds", "1")):
        assert here(*command, "--task", "own.py:good", "--quiet").returncode == 0
        refused = here(*command, "--task", "own.py:goood")
        assert refused.returncode == 2
        assert "did you mean good?" in refused.stderr


def test_a_file_of_a_package_is_named_by_its_module(here: Command, own: Path) -> None:
    (own / "package").mkdir()
    (own / "package/__init__.py").touch()
    (own / "package/data.py").write_text("ROWS = 3\n")
    (own / "package/inner.py").write_text("from .data import ROWS\n" + OWN.replace("def good", "def inner_good"))
    refused = here("tasks", "check", "package/inner.py:inner_good")
    assert refused.returncode == 2
    assert "line 1 of inner.py" in refused.stderr
    assert "here package.inner, from the folder above" in refused.stderr


def test_an_optimizer_that_a_command_names_is_imported_and_a_stored_one_is_not(here: Command, own: Path) -> None:
    (own / "descent_of_mine.py").write_text("import torch\n\n\nclass Mine(torch.optim.SGD):\n    pass\n")
    named = ("--set", "training.optimizer=descent_of_mine:Mine", "--set", "training.dampening=0.1")
    trained = here("train", "--task", "polynomial", "--lr", "0.01", "--epochs", "1", *named, "--quiet")
    assert trained.returncode == 0, trained.stderr
    assert "from descent_of_mine import Mine" in trained.stdout
    wrong = here("train", "--task", "polynomial", "--lr", "0.01", *named[:2], "--set", "training.dampenin=0.1")
    assert wrong.returncode == 2
    assert "did you mean dampening?" in wrong.stderr


def test_the_sample_of_the_page_is_what_the_template_gives(here: Command) -> None:
    page = (Path(__file__).parents[2] / "lrsearch/tasks/README.md").read_text(encoding="utf-8")
    sample = page.split("```\nengine: ")[1].split("```")[0].splitlines()
    assert here("tasks", "new", "my_task.py").returncode == 0
    given = [line.rstrip() for line in here("tasks", "check", "my_task.py:my_task").stdout.splitlines()]
    measured = ("epoch", "200 trials", "memory")
    told = [line for line in given if not line.startswith((*measured, "engine"))]
    assert [line for line in sample[1:] if not line.startswith(measured)] == told
    assert [line.split()[0] for line in sample[1:]] == [line.split()[0] for line in given[1:]]


def test_a_csv_file_becomes_a_verdict(here: Command, tmp_path: Path) -> None:
    rows = [f"{row % 7},{'red' if row % 3 else 'blue'},{row % 7 + 5 * (row % 3 == 0)}.5" for row in range(90)]
    (tmp_path / "my data.csv").write_text("\n".join(["size,colour,weight", *rows]))
    written = here("tasks", "new", "--from-csv", "my data.csv", "--target", "weight")
    assert written.returncode == 0, written.stderr
    assert "regression (numbers, 12 different ones); --kind classification if that is wrong" in written.stderr
    assert "Wrote my_data.py and my_data.toml" in written.stderr
    assert here("tasks", "check", "my_data.py:my_data").stdout.startswith("engine: batched\n")
    study = tmp_path / "my_data.toml"
    text = study.read_text().replace("trials = 50", "trials = 4").replace("epochs = 30", "epochs = 3")
    study.write_text(f"{text}\n[confirm]\ntop = 1\nseeds = 2\ncontestants = []\n")
    assert "How sure?" in here("study", "run", "my_data.toml", "--quiet").stdout
    again = here("tasks", "new", "my_data.py", "--from-csv", "my data.csv", "--target", "weight")
    assert again.returncode == 2
    for wrong, words in (
        (["mine.py", "--target", "weight"], "goes with --from-csv"),
        (["--from-csv", "my data.csv"], "the column of the table to predict"),
        ([], "name the file to write"),
    ):
        refused = here("tasks", "new", *wrong)
        assert refused.returncode == 2
        assert words in refused.stderr
