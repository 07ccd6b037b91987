"""A file is the former one or the new one, and nothing is left beside it."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lrsearch import atomic_file
from lrsearch.dashboard.artifacts import ArtifactFolder
from lrsearch.report import files
from lrsearch.study_file import templates


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path, durable: bool) -> None:
    file = tmp_path / "a[1].csv"
    atomic_file.write(file, b"old", durable=durable)
    file.chmod(0o600)
    atomic_file.write(file, b"new", durable=durable)
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("ending", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), ValueError("x")])
def test_whatever_ends_the_writing_the_former_file_stays(tmp_path: Path, ending: BaseException) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"old")
    with pytest.raises(type(ending)), atomic_file.replacing(file) as opened:  # noqa: PT012
        opened.write(b"half")
        opened.flush()
        assert file.read_bytes() == b"old"
        assert [path.read_bytes() for path in atomic_file.parts_of(file)] == [b"half"]
        raise ending
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_two_may_write_the_same_file(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    with atomic_file.replacing(file) as one, atomic_file.replacing(file) as other:
        one.write(b"one")
        other.write(b"other")
    assert file.read_bytes() == b"one"  # the outer block ends last
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("links", [True, False])
def test_creating_replaces_nothing(tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links here")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    file = tmp_path / "a.toml"
    atomic_file.create(file, b"first")
    with pytest.raises(FileExistsError):
        atomic_file.create(file, b"second")
    assert file.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [file]


def _report(folder: Path) -> None:
    files.replace(folder, {"file": b"new"})


def _artifact(folder: Path) -> None:
    ArtifactFolder(folder).write("file", io.BytesIO(b"new"))


def _template(folder: Path) -> None:
    templates.copy("quickstart", folder / "other.toml")


@pytest.mark.parametrize("write", [_report, _artifact, _template])
def test_who_cannot_finish_leaves_everything_as_it_was(
    tmp_path: Path, write: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", fail)
    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(Exception, match="No space left"):
        write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"old"}


def test_a_name_of_any_length_is_written_or_refused(tmp_path: Path) -> None:
    """As long as the file system takes; what becomes it has a name that no other file's has."""
    for name in ("x" * 255, "ü" * 127, "x" * 251 + ".csv"):
        with atomic_file.replacing(tmp_path / name) as opened:
            opened.write(b"whole")
            assert len(list(atomic_file.parts_of(tmp_path / name))) == 1
            assert list(atomic_file.parts_of(tmp_path / f"{name[:-1]}y")) == []
        atomic_file.write(tmp_path / name, b"again")
        assert (tmp_path / name).read_bytes() == b"again"
    for wrong in (tmp_path / ("x" * 256), Path(), Path("/")):
        with pytest.raises(OSError, match=r"File name too long|Is a directory"):
            atomic_file.write(wrong, b"")
        with pytest.raises(OSError, match=r"File name too long|Is a directory"):
            atomic_file.create(wrong, b"")
    assert len(list(tmp_path.iterdir())) == 3
