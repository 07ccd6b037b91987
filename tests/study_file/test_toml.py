"""Any file is a document or one message."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrsearch.errors import InputError
from lrsearch.study_file import load

DEEP = {
    "lists": "a = " + "[" * 900 + "]" * 900,
    "inline tables": "a = " + "{ b = " * 900 + "1" + " }" * 900,
    "dotted keys": ".".join("a" * 900) + " = 1",
    "headers": f"[{'.'.join('a' * 900)}]\nb = 1",
}


@pytest.mark.parametrize("kind", DEEP)
def test_what_is_too_deep_is_said_in_a_line(tmp_path: Path, kind: str) -> None:
    """Whichever way it is written, and although a parser by recursion gives up at another depth."""
    file = tmp_path / "deep.toml"
    file.write_text(DEEP[kind])
    with pytest.raises(InputError, match="more than 32 deep") as raised:
        load.read(file)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"# " + b"x" * 2**20, "at most 1048576"),
        ("a = 1".encode("utf-16"), "UTF-16"),
        ("a = 'é'".encode("latin-1"), "another encoding"),
        (b"a = " + b"9" * 5000, "not valid TOML"),
        (b"\x00", "not valid TOML"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    """With the limit, or with the encoding."""
    file = tmp_path / "other.toml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=said):
        load.read(file)


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfa = 1\n", b"a = 1\r\nb = 2\r\n"])
def test_files_of_other_editors_are_read(tmp_path: Path, content: bytes) -> None:
    """Some begin with a byte order mark, and some end lines with two characters."""
    file = tmp_path / "study.toml"
    file.write_bytes(content)
    assert load.read(file)["a"] == 1
