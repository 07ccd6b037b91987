"""Whether a file can be written is known before the work begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrsearch.report.files import faults_of_target


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("new.png", None),
        ("old.png", None),
        ("new.pgn", "must end in .png, .svg; did you mean .png?"),
        ("new", "must end in .png, .svg"),
        ("folder.png", "is a folder"),
        ("missing/new.png", "does not exist"),
        ("old.png/new.png", "does not exist"),
    ],
)
def test_targets(tmp_path: Path, name: str, words: str | None) -> None:
    (tmp_path / "old.png").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    faults = [str(fault) for fault in faults_of_target(tmp_path / name, "--plot", (".png", ".svg"))]
    assert len(faults) == (words is not None)
    assert all(words in fault and "--plot" in fault for fault in faults if words)
    assert {path.name for path in tmp_path.iterdir()} == {"old.png", "folder.png"}


def test_a_folder_that_takes_no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    (fault,) = faults_of_target(tmp_path / "new.png", "--plot")
    assert "cannot be written: Permission denied" in str(fault)
