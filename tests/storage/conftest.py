"""Storages that are closed after a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from databases import close
from optuna.storages import BaseStorage

from lrsearch.storage.rdb import open_storage


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
