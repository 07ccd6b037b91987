"""Answers that are kept between processes: found again, never wrong, never in the way."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lrsearch import found_out


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "lrsearch" / "found"


def test_an_answer_is_found_again_and_only_for_its_own_question(folder: Path) -> None:
    assert found_out.recall("a") is None
    found_out.keep("a", {"gain": 14.5})
    assert found_out.recall("a") == {"gain": 14.5}
    assert found_out.recall("b") is None
    (file,) = folder.iterdir()
    found_out.keep("b", True)
    (other,) = set(folder.iterdir()) - {file}
    file.replace(other)  # what answers another question is no answer
    assert found_out.recall("b") is None


@pytest.mark.parametrize("change", ["", "{", "[]", "null", '{"question": 1}', "cut", "other answer"])
def test_a_damaged_answer_counts_as_none(folder: Path, change: str) -> None:
    found_out.keep("a", 14.5)
    (file,) = folder.iterdir()
    whole = file.read_text()
    kept = json.dumps({**json.loads(whole), "answer": 15.5})
    file.write_text({"cut": whole[:-9], "other answer": kept}.get(change, change))
    assert found_out.recall("a") is None
    found_out.keep("a", 2.5)
    assert found_out.recall("a") == 2.5


def test_a_folder_that_cannot_be_used_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for place in (str(tmp_path / "file"), "/dev/null"):
        monkeypatch.setenv("XDG_CACHE_HOME", place)
        found_out.keep("a", 1)
        assert found_out.recall("a") is None
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    found_out.keep("a", 1)
    assert found_out.recall("a") is None


def test_many_writers_leave_whole_answers_and_not_too_many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found_out, "MOST", 8)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: found_out.keep(f"question {number % 12}", number % 12), range(48)))
    found_out.keep("last", True)
    assert found_out.recall("last") is True
    # Fewer where an answer was renewed while another process took it for the oldest.
    assert 4 <= len(list(folder.iterdir())) <= 8
    for number in range(12):
        assert found_out.recall(f"question {number}") in (None, number)
