"""What all tests share: one thread, and a quick study definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import optuna
import pytest
import torch
from databases import KINDS, fresh_database

from lrsearch.study_file.load import parse
from lrsearch.study_file.model import Definition

optuna.logging.set_verbosity(optuna.logging.ERROR)
# A busy machine is no fault of a formula.
hypothesis.settings.register_profile("lrsearch", deadline=None)
hypothesis.settings.load_profile("lrsearch")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """The thread count changes the last bits of a sum."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a fresh database: SQLite, PostgreSQL and MariaDB in turn."""
    with fresh_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def define() -> Callable[..., Definition]:
    """Makes a small definition; keyword arguments replace whole sections."""

    def make(**sections: Any) -> Definition:
        document: dict[str, Any] = {
            "study": {"name": "small", "trials": 6},
            "task": {"name": "polynomial", "rows": 60, "holdout_rows": 10},
            "training": {"epochs": 4, "batch_size": 14},
            "search": {"schedulers": ["constant", "lambda"]},
            "confirm": {"top": 0},
            **sections,
        }
        return parse(document, "test")

    return make
