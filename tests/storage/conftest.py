"""Databases for the tests of storages, empty or with tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from databases import close
from optuna.storages import BaseStorage

from lrsearch.storage.rdb import open_storage


@pytest.fixture
def database(database_url: str) -> str:
    """The URL of a database of its own, which is dropped afterwards; without tables."""
    return database_url


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
