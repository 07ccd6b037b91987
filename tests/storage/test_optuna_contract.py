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
    def storage(self, request: pytest.FixtureRequest, database_url: str) -> Iterator[BaseStorage]:
        storage = open_storage(database_url, create=True)
        yield storage
        close(storage)
        if request.node.originalname == "test_pickle_storage":
            # It leaves a copy behind whose connections nobody closes.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()
