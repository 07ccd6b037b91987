"""Where the token comes from, and when there must be one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrsearch.dashboard import token
from lrsearch.dashboard.allowed_hosts import AllowedHosts, Authority, is_loopback, names
from lrsearch.errors import InputError


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(token.VARIABLE, raising=False)


def test_flag_file_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text(" from-file \n")
    assert token.find(None, None) is None
    monkeypatch.setenv(token.VARIABLE, "from-environment")
    assert token.find(None, None) == "from-environment"
    assert token.find(None, file) == "from-file"
    assert token.find("from-flag", None) == "from-flag"
    with pytest.raises(InputError, match="once"):
        token.find("from-flag", file)


@pytest.mark.parametrize("text", ["", "  \n", "two words", "two\nlines", "bell\x07"])
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    for given_, named in ((text, None), (None, file)):
        with pytest.raises(InputError) as refused:
            token.find(given_, named)
        assert "two" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read: No such file.*--token-file|--token-file.*cannot be read"):
        token.find(None, tmp_path / "missing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="UTF-8"):
        token.find(None, tmp_path / "binary")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.7"])
def test_an_address_that_others_reach_needs_one(host: str) -> None:
    with pytest.raises(InputError, match="needs a token"):
        token.check_needed(None, host)
    token.check_needed("there", host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.9.10"])
def test_loopback_needs_none(host: str) -> None:
    assert is_loopback(host)
    token.check_needed(None, host)


def test_a_host_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="--host"):
        is_loopback("no such host")
    with pytest.raises(InputError, match="2 faults"):
        names("127.0.0.1", ["https://example.org", "a b", "fine.example.org"])


@given(st.text() | st.from_regex(r"\[?[0-9a-f:.]*\]?(:[0-9]*)?"), st.text() | st.sampled_from(["http://", "https://"]))
def test_whatever_a_header_says_it_is_no_name_of_ours(host: str, scheme: str) -> None:
    """Only what was named is let in, and no text makes the check fail."""
    ours = AllowedHosts(frozenset({"own.example"}), frozenset({Authority("proxy.example", 8443)}))
    assert not ours.include(host) or host.lower().startswith(("own.example", "proxy.example:8443"))
    assert not ours.is_own_origin(scheme + host, "own.example") or "example" in host


def test_every_address_means_those_of_this_machine_and_not_any_name() -> None:
    every = names("0.0.0.0", [])
    assert every.include("127.0.0.1:8080")
    assert not every.include("evil.example")
    assert not every.include("192.0.2.7")
