"""A small study of plain Optuna with an artifact, and the dashboard of it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from dashboard_client import HTML_ARTIFACT, TOKEN, Client
from databases import close
from optuna.storages import BaseStorage

from lrsearch.dashboard.app import application
from lrsearch.dashboard.artifacts import ArtifactFolder
from lrsearch.storage.rdb import open_storage

Serve = Callable[..., Client]


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of two trials, and an HTML artifact."""
    place = tmp_path_factory.mktemp("dashboard")
    opened = open_storage(f"sqlite:///{place}/s.db", create=True)
    study = optuna.create_study(study_name="small", storage=opened)
    for value in (2.0, 1.0):
        trial = study.ask({"lr": optuna.distributions.FloatDistribution(0.01, 0.1)})
        trial.report(value + 1, 1)
        study.tell(trial, value)
    ArtifactFolder(place / "artifacts").write(HTML_ARTIFACT, io.BytesIO(b"<script>alert(document.cookie)</script>"))
    meta = f'{{"artifact_id": "{HTML_ARTIFACT}", "filename": "x.html", "mimetype": "text/html", "encoding": null}}'
    opened.set_study_system_attr(study._study_id, f"artifacts:{HTML_ARTIFACT}", meta)
    close(opened)
    return place


def serving(place: Path) -> Iterator[tuple[BaseStorage, Serve]]:
    opened = open_storage(f"sqlite:///{place}/s.db")

    def make(token: str | None = TOKEN, **rules: Any) -> Client:
        return Client(application(opened, ArtifactFolder(place / "artifacts"), token=token, **rules))

    yield opened, make
    close(opened)


@pytest.fixture(scope="module")
def shown(stored: Path) -> Iterator[tuple[BaseStorage, Serve]]:
    """The storage, and what makes a client of a dashboard with the given rules; by default it asks for `TOKEN`."""
    yield from serving(stored)


@pytest.fixture(scope="module")
def serve(shown: tuple[BaseStorage, Serve]) -> Serve:
    """Makes a client; nothing may be changed through it."""
    return shown[1]


@pytest.fixture
def copy(stored: Path, tmp_path: Path) -> Iterator[tuple[Path, Serve]]:
    """A copy of the folder that may be changed, and what makes its clients."""
    place = tmp_path / "copy"
    shutil.copytree(stored, place)
    for _, make in serving(place):
        yield place, make
