"""A study's report in the dashboard: note, figures, plots, and the artifacts of its best trials."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna_dashboard
import pandas as pd
import pytest
import torch
from dashboard_client import Client
from databases import close
from optuna.storages import BaseStorage

from lrsearch.dashboard import publish as publishing
from lrsearch.dashboard.app import application
from lrsearch.dashboard.artifacts import ArtifactFolder
from lrsearch.dashboard.publish import publish
from lrsearch.dashboard.published import Published
from lrsearch.dashboard.publisher import Publisher
from lrsearch.errors import InterruptedRunError
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import control, recommendation, status
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition
from lrsearch.tasks import polynomial  # noqa: F401
from lrsearch.training.engine import SequentialEngine


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[BaseStorage]:
    opened = open_storage(f"sqlite:///{tmp_path}/s.db", create=True)
    yield opened
    close(opened)


@pytest.fixture
def create(storage: BaseStorage, define: Callable[..., Definition]) -> Callable[..., StoredStudy]:
    """Creates a study and trains some of its trials."""

    def make(name: str = "small", train: int = 6) -> StoredStudy:
        from lrsearch.study import open as opening

        stored = studies.create(storage, define(study={"name": name, "trials": 6}, pruner={"name": "none"}), "mse")
        runner = Runner(stored, opening.task_of(stored), SequentialEngine(), Interruption())
        with runner.heartbeat:
            for _ in range(train):
                list(runner.round())
        return stored

    return make


@pytest.fixture
def folder(tmp_path: Path) -> ArtifactFolder:
    return ArtifactFolder(tmp_path / "artifacts")


def seen(stored: StoredStudy, folder: ArtifactFolder) -> tuple[Client, dict[str, Any]]:
    """The dashboard, and what its page is told of the study."""
    client = Client(application(stored.storage, folder))
    return client, json.loads(client("/api/studies/1").body)


def test_everything_is_there_and_can_be_fetched(create: Callable[..., StoredStudy], folder: ArtifactFolder) -> None:
    stored = create()
    assert publish(stored, folder)
    client, told = seen(stored, folder)
    note = told["note"]["body"]
    pictures = re.findall(r"!\[[^]]+\]\((/artifacts/[^)]+)\)", note)
    assert note.startswith("# Learning-rate report: small")
    assert len(pictures) >= 3
    for path in pictures:
        answer = client(path)
        assert (answer.status, answer.headers["Content-Type"], answer.body[:4]) == (200, "image/png", b"\x89PNG")
    assert {artifact["filename"] for artifact in told["artifacts"]} >= {
        "Initial learning rate against test MSE, at the end.png",
        "Learning curves - test MSE after every epoch.png",
    }
    assert {artifact["mimetype"] for artifact in told["artifacts"]} == {"image/png", "application/octet-stream"}
    plots = {plot["id"]: json.loads(plot["graph_object"]) for plot in told["plotly_graph_objects"]}
    assert set(plots) == {"learning_curves", "schedules"}
    assert len(plots["learning_curves"]["data"]) == 6
    assert plots["learning_curves"]["data"][0]["x"] == [1, 2, 3, 4]


def test_the_best_trials_have_their_curves_and_the_recommended_settings_their_weights(
    create: Callable[..., StoredStudy], folder: ArtifactFolder, tmp_path: Path
) -> None:
    stored = create()
    publish(stored, folder)
    client, told = seen(stored, folder)
    kept = {trial["number"]: trial["artifacts"] for trial in told["trials"] if trial["artifacts"]}
    best = status.best(stored)
    assert best is not None
    assert len(kept) == 3
    paths = {a["filename"]: f"/artifacts/1/{best._trial_id}/{a['artifact_id']}" for a in kept[best.number]}
    curve = pd.read_csv(io.BytesIO(client(paths[f"curve_of_trial_{best.number}.csv"]).body))
    assert list(curve["test_metric"]) == list(best.intermediate_values.values())
    (artifact,) = (own for own in told["artifacts"] if own["filename"] == "recommended.ckpt")
    path = f"/artifacts/1/{artifact['artifact_id']}"
    weights = torch.load(io.BytesIO(client(path).body), weights_only=True)
    found = recommendation.best_settings(stored)
    assert weights["definition"]["lr"] == found.params["lr"]
    assert found.number == best.number
    assert weights["state"]["records"][-1]["test_metric"] == pytest.approx(best.value)


def test_nothing_is_done_twice_and_links_stay_good(create: Callable[..., StoredStudy], folder: ArtifactFolder) -> None:
    stored = create(train=4)
    assert publish(stored, folder)
    first = seen(stored, folder)[1]
    assert not publish(stored, folder)
    control.exclude(stored, 1, "wrong data")
    assert publish(studies.load(stored.storage, "small"), folder)
    second = seen(stored, folder)[1]
    assert first["artifacts"] == second["artifacts"]
    assert "trial 1: wrong data" in second["note"]["body"]
    files = {path.name for path in folder.folder.iterdir()}
    listed = {a["artifact_id"] for a in second["artifacts"]}
    listed |= {a["artifact_id"] for trial in second["trials"] for a in trial["artifacts"]}
    assert files == listed


def test_an_artifact_of_an_older_lrsearch_gets_its_title(
    create: Callable[..., StoredStudy], folder: ArtifactFolder
) -> None:
    stored = create(train=1)
    before = Published(stored.study, folder)
    path = before.put("rates.png", b"1")
    del before._files["rates.png"]["shown"]
    before.remember(None)
    again = Published(stored.study, folder)
    assert again.put("rates.png", b"1", title='Rates: "a/b"?') == path
    (artifact,) = seen(stored, folder)[1]["artifacts"]
    assert artifact["filename"] == "Rates - a per b.png"


def test_what_a_person_wrote_above_the_report_stays(create: Callable[..., StoredStudy], folder: ArtifactFolder) -> None:
    stored = create(train=2)
    optuna_dashboard.save_note(stored.study, "My own words.")
    publish(stored, folder)
    control.exclude(stored, 0, "wrong data")
    publish(studies.load(stored.storage, "small"), folder)
    note = optuna_dashboard.get_note(stored.study)
    assert note.startswith("My own words.\n\n# Learning-rate report: small")
    assert (note.count("My own words."), note.count(publishing.HEADING)) == (1, 1)


def test_the_publisher_goes_on_after_a_study_that_it_cannot_publish(
    create: Callable[..., StoredStudy], folder: ArtifactFolder, storage: BaseStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    create("bad", train=1)
    good, said = create("good", train=1), []
    real = publishing.publish

    def fail(stored: StoredStudy, *rest: Any) -> bool:
        if not said:
            raise KeyError("deleted")
        return real(stored, *rest)

    monkeypatch.setattr("lrsearch.dashboard.publisher.publish", fail)
    interruption = Interruption()
    publisher = Publisher(storage, folder, interruption, said.append)
    publisher.look()
    assert said == ["Study bad is not published: 'deleted'", "Published study good."]
    assert optuna_dashboard.get_note(good.study)
    interruption.received = True
    with pytest.raises(InterruptedRunError):
        publisher.run()


def test_a_study_that_has_not_changed_is_not_even_loaded(
    create: Callable[..., StoredStudy], storage: BaseStorage, folder: ArtifactFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a thousand studies the looks alone would keep a core busy."""
    stored, loaded, told = create("one"), [], []
    monkeypatch.setattr("lrsearch.dashboard.publisher.EVERY", 0.0)  # a look is always due
    load = studies.load

    def counted(*arguments: object) -> StoredStudy:
        loaded.append(arguments)
        return load(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("lrsearch.dashboard.publisher.studies.load", counted)
    monkeypatch.setattr("lrsearch.dashboard.publisher.publish", lambda own, *_: told.append(own.name) or True)
    publisher = Publisher(storage, folder, Interruption(), lambda text: None)  # noqa: ARG005
    publisher.look()
    seen = len(loaded)
    publisher.look()
    assert (told, len(loaded)) == (["one"], seen)
    control.exclude(stored, 0, "wrong")
    seen = len(loaded)
    publisher.look()
    publisher.look()
    assert (told, len(loaded)) == (["one", "one"], seen + 1)
