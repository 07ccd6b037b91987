"""Opening storages."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy

from lrsearch.errors import InputError
from lrsearch.printable import redacted
from lrsearch.storage.rdb import MissingStorageError, open_storage


def test_sqlite_has_a_write_ahead_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    open_storage(url, create=True)
    with sqlalchemy.create_engine(url).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_missing_file_is_made_only_when_asked(tmp_path: Path) -> None:
    with pytest.raises(MissingStorageError):
        open_storage(f"sqlite:///{tmp_path}/a.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["sqlite:///{}/no/a.db", "sqlite:///{}", "x", "oracle9://u:secret@h/d", "mysql://u:secret@127.0.0.1:9/d"]
)
def test_what_cannot_be_opened_is_an_input_error_without_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_storage(url.format(tmp_path), create=True)
    assert "secret" not in str(caught.value)


def test_passwords_are_redacted() -> None:
    assert redacted("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"
    assert "secret" not in redacted("::secret::")
