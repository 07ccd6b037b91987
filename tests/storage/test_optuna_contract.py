"""Optuna's own tests for storages, over the storage that we hand to Optuna, on all databases."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest
from databases import close
from optuna.storages import BaseStorage
from optuna.testing.pytest_storages import StorageTestCase

from lrsearch.storage.rdb import open_storage


class TestStorage(StorageTestCase):
    """Every test of Optuna's suite, each in an empty database."""

    @pytest.fixture
    def storage(self, database_url: str) -> Iterator[BaseStorage]:
        storage = open_storage(database_url, create=True)
        yield storage
        close(storage)
        # The test that pickles a storage leaves a copy behind whose connections nobody closes.
        del storage
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
