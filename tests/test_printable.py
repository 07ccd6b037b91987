"""No line shows a password, and a terminal obeys none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrsearch.printable import harmless, json_harmless, printable, redacted

SECRET = "Xy7q"
URLS = [
    "postgresql://me:{}@host/db",
    "postgresql://me:a@{}@host/db",
    "postgresql://me:a/{}@host/db",
    "postgresql://me:a?{}@host/db",
    "mysql://me:{}@host:3306/db?charset=utf8",
    "postgresql://host/db?user=me&password={}",
    "postgresql://host:5432/db?user=me&password={}",
    "postgresql://host/db?user=me&password=a@{}",
    "postgresql://host/db?user=me&password=a&{}",
    "postgresql://host:5432/db?user=me&pass%77ord={}",
    "postgresql://me@host/db?sslpassword={}",
    "postgresql://me@host/db?options=-c%20app.key%3D{}",
    "mysql://me@host/db?passwd={}&ssl_ca=ca.pem",
    "mysql://me@host/db?init_command=SET%20@key='{}'",
    "mssql+pyodbc:///?odbc_connect=PWD%3D{}",
    "postgresql://me:{}",
    "me:{}@host",
]


@pytest.mark.parametrize("url", URLS)
def test_a_password_is_in_no_url_that_is_shown(url: str) -> None:
    """Whichever driver's name it has, and however its characters mislead a parser."""
    given_url = url.format(SECRET)
    assert SECRET not in redacted(given_url)
    if "://" in url:
        assert SECRET not in printable(f"cannot open {given_url} today")


@pytest.mark.parametrize("url", ["sqlite:///a@b.db", "postgresql://me@host:5432/db?sslmode=require", "mysql://h/db"])
def test_what_is_no_password_is_shown(url: str) -> None:
    """A person must recognise the storage."""
    assert redacted(url) == url


@given(st.text(st.characters()))
def test_nothing_is_obeyed(text: str) -> None:
    """No control character but newline and tab is left; JSON stays the same JSON."""
    assert not {c for c in harmless(text) if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) <= 0x9F}
    document = json.dumps(text, ensure_ascii=False)
    assert json.loads(json_harmless(document)) == text
    assert "\x9b" not in json_harmless(document)
