"""A person's own code on its way to another machine, played through on this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrsearch.errors import InputError
from lrsearch.launch.ray import code_bundle


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A file that imports its neighbour and a package beside it, among files that do not matter."""
    own = tmp_path / "own"
    for name in ("mytask.py", "neighbour.py", "package/__init__.py", "package/deep/__init__.py", "folder/other.py"):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(f"# {name}")
    (own / "data.csv").write_text("1,2")
    return own


def test_what_a_file_can_import_travels_with_it(written: Path, tmp_path: Path) -> None:
    packed = code_bundle.pack([str(written / "mytask.py"), "installed.module"])
    (written / "mytask.py").write_text("# another version")
    loaded = code_bundle.unpack(packed, tmp_path / "there")
    assert loaded == [str(tmp_path / "there/0/mytask.py"), "installed.module"]
    there = {file.relative_to(tmp_path / "there/0").as_posix() for file in (tmp_path / "there").rglob("*.py")}
    assert there == {"mytask.py", "neighbour.py", "package/__init__.py", "package/deep/__init__.py"}
    assert Path(loaded[0]).read_text() == "# mytask.py"


def test_a_file_that_is_there_already_is_used_with_its_data(written: Path, tmp_path: Path) -> None:
    """A shared folder, or the same machine."""
    file = written / "mytask.py"
    assert code_bundle.unpack(code_bundle.pack([str(file)]), tmp_path / "there") == [str(file)]
    assert not (tmp_path / "there").exists()


def test_a_file_that_is_missing_or_has_too_much_beside_it_is_refused(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"no such file; did you mean mytask\.py"):
        code_bundle.pack([str(written / "mytasks.py")])
    monkeypatch.setattr(code_bundle, "LARGEST", 10)
    with pytest.raises(InputError, match="give it a folder of its own"):
        code_bundle.pack([str(written / "mytask.py")])
