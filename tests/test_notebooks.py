"""The notebooks run from top to bottom, use public names only, and are committed with their figures."""

from __future__ import annotations

import ast
import os
import re
import runpy
import warnings
from pathlib import Path

import nbclient
import nbformat
import optuna
import pytest
from forgotten import forgotten

import lrsearch

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ALLOWED = {"lrsearch", "optuna", "pathlib", "sklearn.datasets", "tempfile", "torch", "torch.utils.data"}
MOST_BYTES = 500_000

each = pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)


def read(file: Path) -> nbformat.NotebookNode:
    return nbformat.read(file, as_version=4)


def code(file: Path) -> str:
    return "\n".join(cell.source for cell in read(file).cells if cell.cell_type == "code")


def test_there_are_five() -> None:
    assert [file.stem[:2] for file in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@each
def test_it_uses_public_names_only(file: Path) -> None:
    tree = ast.walk(ast.parse(code(file)))
    for node in tree:
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= ALLOWED
        elif isinstance(node, ast.ImportFrom):
            assert node.module in ALLOWED - {"lrsearch"}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "lrsearch":
            assert node.attr in lrsearch.__all__


@each
def test_it_is_stored_executed_and_small(file: Path) -> None:
    cells = [cell for cell in read(file).cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert file.stat().st_size < MOST_BYTES
    texts = " ".join(str(output.get("text") or output.data.get("text/plain")) for output in outputs)
    assert not re.search(r"/tmp|/home|/root| at 0x", texts)


def fewer_epochs(cell: str) -> str:
    """A tenth of the epochs, and two at least: `epochs=20`, `"epochs": 30` and `EPOCHS = 10` alike."""
    return re.sub(
        r'(epochs=|"epochs": |EPOCHS = )(\d+)', lambda found: found[1] + str(max(2, int(found[2]) // 10)), cell
    )


def test_fewer_epochs_are_a_tenth_of_them() -> None:
    assert fewer_epochs('train(epochs=60), {"epochs": 30}\nEPOCHS = 10') == 'train(epochs=6), {"epochs": 3}\nEPOCHS = 2'


def assigned(program: Path) -> set[str]:
    """The names that a program's own lines give a value, functions and imports left out."""
    lines = [node for node in ast.parse(program.read_text()).body if isinstance(node, ast.Assign)]
    found = {part.id for node in lines for target in node.targets for part in ast.walk(target)
             if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}  # fmt: skip
    assert found
    return found


@each
def test_its_code_runs_from_top_to_bottom(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, as a program, with fewer epochs than readers see."""
    monkeypatch.chdir(tmp_path)
    program = tmp_path / f"{file.stem}.py"
    program.write_text(fewer_epochs(code(file)))
    with forgotten(tmp_path), warnings.catch_warnings():
        warnings.simplefilter("default")
        names = runpy.run_path(str(program))
    assert assigned(program) <= names.keys(), "it ended before its last line"
    optuna.logging.set_verbosity(optuna.logging.ERROR)


# What jupyter's own packages warn about when they are used is not ours to mend.
@pytest.mark.soak
@pytest.mark.filterwarnings("default")
@each
def test_it_runs_in_jupyter(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    resources = {"metadata": {"path": str(tmp_path)}}
    done = nbclient.NotebookClient(read(file), timeout=60, kernel_name="python3", resources=resources).execute()
    counts = [cell.execution_count for cell in done.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
