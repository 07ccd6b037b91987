"""`storage check` and `storage upgrade` beneath the command line, on every kind of database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from databases import close
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from lrsearch.errors import InputError
from lrsearch.storage import rdb, schema_check
from lrsearch.storage.choice import trial_store
from lrsearch.storage.inspection import inspect
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.upgrade import upgrade

OLDER = "v3.0.0.d"
DEAD = {"pid": 2**22 + 1}
ELSEWHERE = {"host": "elsewhere"}


def downgrade(url: str) -> None:
    """Optuna's newest migration only adds an index, so all that is older is what the database says."""
    engine = sqlalchemy.create_engine(rdb.parse(url))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP INDEX IF EXISTS trials_study_id_key")
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{OLDER}'")
    engine.dispose()


@pytest.fixture
def made(fresh_database_url: str) -> str:
    """The URL of a database with tables that may be changed."""
    close(open_storage(fresh_database_url, create=True))
    return fresh_database_url


def test_a_storage_is_described(database_url: str) -> None:
    found = inspect(database_url, 60.0)
    assert found.kind in ("SQLite", "PostgreSQL", "MariaDB")
    assert found.version[0].isdigit()
    assert found.size is not None
    assert found.size > 10_000
    assert found.schema.is_newest
    assert found.bulk_fault is None
    assert found.trials is not None
    assert (found.trials.studies, found.trials.running, found.trials.stale) == (0, 0, {})
    if found.kind == "SQLite":
        assert found.settings["journal mode"] == "wal"
        assert found.settings["synchronous"] == "normal"
        assert found.settings["file system"]
    else:
        assert found.settings["time zone"] in ("UTC", "+00:00")
    json.dumps(found.as_dict(), allow_nan=False)


@pytest.mark.parametrize("broken", [False, True])
def test_running_and_stale_trials_are_told_apart(
    broken: bool, database_url: str, opened: Callable[[str], BaseStorage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead process on this machine is stale at once, a silent one elsewhere after the grace; also without tables."""
    storage = opened(database_url)
    study = optuna.create_study(study_name="a", storage=storage)
    store = trial_store(study, storage)
    for changes in ({}, DEAD, ELSEWHERE):
        store.claim(1, 10, {**Worker.this().as_dict(), **changes})
    if broken:
        monkeypatch.setattr(schema_check, "tables_are_known", lambda: "broken")
    found = inspect(database_url, 60.0)
    assert found.trials is not None
    assert found.trials.running == 3
    assert found.trials.stale == {"a": [1]}
    assert found.bulk_fault == ("broken" if broken else None)
    assert study.trials[1].state == TrialState.RUNNING


def test_a_heartbeat_older_than_the_grace_is_stale(database_url: str, opened: Callable[[str], BaseStorage]) -> None:
    storage = opened(database_url)
    study = optuna.create_study(study_name="a", storage=storage)
    trial_store(study, storage).claim(2, 10, {**Worker.this().as_dict(), **ELSEWHERE})
    assert inspect(database_url, 60.0).as_dict()["stale"] == {}
    assert inspect(database_url, -5.0).as_dict()["stale"] == {"a": [0, 1]}


def test_an_older_schema_is_described_and_upgraded(made: str, opened: Callable[[str], BaseStorage]) -> None:
    downgrade(made)
    shown = inspect(made, 60.0).as_dict()
    assert shown["schema"]["state"] == "older"
    assert shown["studies"] is None
    done = upgrade(made)
    assert (done.before, done.is_done) == (OLDER, True)
    assert inspect(made, 60.0).schema.is_newest
    again = upgrade(made)
    assert (again.is_done, again.copy) == (False, None)
    assert opened(made).get_all_studies() == []


def test_a_newer_schema_is_described_and_not_upgraded(made: str) -> None:
    engine = sqlalchemy.create_engine(rdb.parse(made))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'v9.9.9.a'")
    engine.dispose()
    assert inspect(made, 60.0).schema.is_newer
    with pytest.raises(InputError, match="newer Optuna"):
        upgrade(made)


def test_looking_at_an_empty_database_creates_nothing(fresh_database_url: str) -> None:
    if (path := rdb.sqlite_file(rdb.parse(fresh_database_url))) is not None:
        path.touch()
    assert inspect(fresh_database_url, 60.0).as_dict()["schema"]["state"] == "none"
    assert not upgrade(fresh_database_url).is_done
    engine = sqlalchemy.create_engine(rdb.parse(fresh_database_url))
    assert sqlalchemy.inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_file_is_copied_first_and_no_copy_overwritten(tmp_path: Path, opened: Callable[[str], BaseStorage]) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    optuna.create_study(study_name="kept", storage=opened(url))
    for number in (1, 2, 3):
        downgrade(url)
        done = upgrade(url)
        assert done.copy == tmp_path / f"a.db.{OLDER}.copy{number if number > 1 else ''}"
        with closing(sqlite3.connect(done.copy)) as copy:
            assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (OLDER,)
            assert copy.execute("SELECT study_name FROM studies").fetchone() == ("kept",)
