"""A fresh, empty database on each kind of server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy
from optuna.storages import BaseStorage
from sqlalchemy.engine import make_url

from lrsearch.storage.rdb import open_storage
from lrsearch.storage.reading import engine_of

SERVERS = {
    "postgresql": os.environ.get("LRSEARCH_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/test"),
    "mariadb": os.environ.get("LRSEARCH_TEST_MARIADB", "mariadb+pymysql://root@127.0.0.1:3306/test"),
}


@pytest.fixture(params=["sqlite", *SERVERS])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of its own, which is dropped afterwards; without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/a.db"
        return
    server = make_url(SERVERS[request.param])
    name = f"lrsearch_{uuid.uuid4().hex[:12]}"
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
    except (sqlalchemy.exc.OperationalError, ImportError) as error:
        engine.dispose()
        pytest.skip(f"no {request.param} server at {server.host}:{server.port}: {error}")
    yield server.set(drivername=request.param, database=name).render_as_string(hide_password=False)
    force = " WITH (FORCE)" if request.param == "postgresql" else ""
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}{force}")
    engine.dispose()


@pytest.fixture
def opened() -> Iterator[Callable[[str], BaseStorage]]:
    """Opens storages, and closes their connections after the test."""
    storages = []

    def make(url: str) -> BaseStorage:
        storages.append(open_storage(url, create=True))
        return storages[-1]

    yield make
    for storage in storages:
        close(storage)


@pytest.fixture
def made(database: str) -> str:
    """The URL of a database with Optuna's tables and no open connection."""
    close(open_storage(database, create=True))
    return database


def close(storage: BaseStorage) -> None:
    storage.remove_session()
    engine = engine_of(storage)
    assert engine is not None
    engine.dispose()
