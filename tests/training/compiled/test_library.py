"""Compiled libraries: kept for later processes, never trusted from others, and done without where they cannot be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from compiler import needs_compiler

from lrsearch.training.compiled import library
from lrsearch.training.compiled.values import NotCompiledError

SOURCE = 'extern "C" int run() { return NUMBER; }\n'


def number(value: int) -> int:
    return library.function_of(SOURCE.replace("NUMBER", str(value)))()


@pytest.fixture(autouse=True)
def _compiler() -> None:
    needs_compiler()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "lrsearch" / "compiled"


def test_what_is_kept_needs_no_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert number(3) == 3
    (kept,) = folder.glob("*.so")
    assert not stat.S_IMODE(kept.stat().st_mode) & 0o077
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert number(3) == 3
    with pytest.raises(NotCompiledError, match=r"no C\+\+ compiler on this machine \(CXX names no-such-compiler"):
        number(4)


@pytest.mark.parametrize("spoil", ["damaged", "cut off", "of others", "a link"])
def test_a_library_that_could_be_anybodys_is_not_loaded(folder: Path, spoil: str) -> None:
    number(5)
    (kept,) = folder.glob("*.so")
    content = kept.read_bytes()
    if spoil in ("damaged", "cut off"):
        kept.unlink()  # this process has loaded it
    if spoil == "damaged":
        kept.write_bytes(content[:200] + b"\0" + content[201:] + b"\0")
    elif spoil == "cut off":
        kept.write_bytes(content[:1000])
    elif spoil == "of others":
        kept.chmod(0o666)
    else:
        kept.rename(folder / "elsewhere")
        kept.symlink_to(folder / "elsewhere")
    name = library.name_of(SOURCE.replace("NUMBER", "5"))
    assert library.kept(name) is None
    assert number(5) == 5


def test_a_folder_that_others_may_write_to_is_not_used(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert number(6) == 6
    assert not list(folder.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_changes_nothing(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    assert number(7) == 7


def test_a_folder_that_cannot_be_there_changes_nothing(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("a file")
    assert number(8) == 8


def test_the_oldest_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "MOST", 2)
    for value in (10, 11, 12):
        number(value)
    assert len(list(folder.glob("*.so"))) == 2


@pytest.mark.usefixtures("folder")
def test_a_compiler_that_fails_is_quoted_in_one_line() -> None:
    with pytest.raises(NotCompiledError, match=r"C\+\+ compiler .* failed: .*error") as failed:
        library.function_of("int run() { return nothing; }")
    assert "\n" not in str(failed.value)
