"""A person's own task files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.tasks.loading import load


def test_a_file_is_imported_once_and_relative_to_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "tasks", registry.Registry("task", []))
    (tmp_path / "mytask.py").write_text(
        "import lrsearch, torch\n"
        "@lrsearch.task\n"
        "def from_a_file(*, rows: int = 4) -> lrsearch.Task:\n"
        "    data = torch.zeros(rows, 2), torch.zeros(rows, 1)\n"
        "    net = lambda: torch.nn.Linear(2, 1)\n"
        "    return lrsearch.Task(model=net, train=data, test=data, loss='mse', metric='mse')\n"
    )
    load(["mytask.py"], tmp_path)
    load([str(tmp_path / "mytask.py")])
    assert "from_a_file" in registry.tasks


def test_a_file_may_import_what_lies_beside_it_and_modules_lie_beside_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "beside_it.py").write_text("number = 7\n")
    (tmp_path / "asks_beside.py").write_text("import beside_it\nassert beside_it.number == 7\n")
    load(["asks_beside.py", "beside_it"], tmp_path)
    assert sys.path[-1] == str(tmp_path)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("missing.py", "no such file"),
        ("no_such_module", "no such module here; a file's name ends in .py"),
        ("missin2.py", "did you mean missing2.py"),
        ("broken.py", r"ZeroDivisionError.*line 2"),
        ("unfinished.py", r"SyntaxError: .* \(line 2 of unfinished.py\)"),
        ("leaving.py", "SystemExit"),
        ("needy.py", "ModuleNotFoundError: No module named 'not_there'"),
        ("twice.py", "task 'polynomial' is registered already; choose another name"),
    ],
)
def test_what_cannot_be_loaded_is_named(source: str, words: str, tmp_path: Path) -> None:
    files = {
        "missing2": "",
        "broken": "x = 1\nx / 0\n",
        "unfinished": "x = 1\ndef half(:\n",
        "leaving": "import sys\nsys.exit(3)\n",
        "needy": "import not_there\n",
        "twice": "import lrsearch\n@lrsearch.task\ndef polynomial() -> lrsearch.Task: ...\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    with pytest.raises(InputError, match=words):
        load([source], tmp_path)
