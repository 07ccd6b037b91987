"""A person's own task files."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("missing.py", "no such file"),
        ("no_such_module", "ModuleNotFoundError"),
        ("broken.py", r"ZeroDivisionError.*line 2"),
    ],
)
def test_what_cannot_be_loaded_is_named(source: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("x = 1\nx / 0\n")
    with pytest.raises(InputError, match=words):
        load([source], tmp_path)
