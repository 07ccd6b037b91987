"""What a page of a large study gets: all trials, the curves of the best, and nothing of the storage is changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from databases import close
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.dashboard import thinning
from lrsearch.dashboard.app import application
from lrsearch.dashboard.artifacts import ArtifactFolder
from lrsearch.storage.rdb import open_storage

CURVE = {"train_curve": [1.0, 2.0], "engine": "batched"}


def trial(number: int, value: float, state: TrialState = TrialState.COMPLETE, steps: int = 3) -> FrozenTrial:
    made = create_trial(
        state=state,
        value=value,
        user_attrs=CURVE,
        intermediate_values={step: value + step for step in range(1, steps + 1)},
    )
    made.number = number
    return made


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "MOST_CURVES", 4)
    monkeypatch.setattr(thinning, "MOST_POINTS", 5)


@pytest.mark.parametrize("maximise", [False, True])
def test_the_best_that_were_trained_to_the_end_keep_their_curves(maximise: bool) -> None:
    trials = [trial(number, float(number), TrialState.PRUNED if number % 2 else TrialState.COMPLETE)
              for number in range(12)]  # fmt: skip
    shown = thinning.thinned(trials, maximise=maximise)
    assert [own.number for own in shown if own.intermediate_values] == ([4, 6, 8, 10] if maximise else [0, 2, 4, 6])
    for own, given in zip(shown, trials, strict=True):
        assert (own.number, own.state, own.value, own.params) == (given.number, given.state, given.value, given.params)
        assert given.user_attrs == CURVE
        assert len(given.intermediate_values) == 3
        assert ("train_curve" in own.user_attrs) == bool(own.intermediate_values)
        assert own.user_attrs["engine"] == "batched"


def test_few_trials_keep_their_curves_and_long_ones_lose_points() -> None:
    short, long = thinning.thinned([trial(0, 1.0), trial(1, 2.0, steps=100)])
    assert short.intermediate_values == {1: 2.0, 2: 3.0, 3: 4.0}
    assert list(long.intermediate_values) == [1, 26, 51, 75, 100]
    assert thinning.remark(4) == ""
    assert "best 4 of 10000 trials" in thinning.remark(10_000)


def test_the_page_gets_all_trials_and_few_curves(tmp_path: Path) -> None:
    """Through optuna-dashboard itself; what renames or exports a study still sees everything."""
    storage = open_storage(f"sqlite:///{tmp_path}/s.db", create=True)
    study = optuna.create_study(study_name="large", storage=storage)
    study.add_trials([trial(number, float(number)) for number in range(9)])
    shown = application(storage, ArtifactFolder(tmp_path / "artifacts"))
    said: list[str] = []

    def start(status: str, *_: object) -> Any:
        said.append(status)

    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/api/studies/1", "QUERY_STRING": "", "HTTP_HOST": "127.0.0.1",
        "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
    }  # fmt: skip
    body = b"".join(shown(environ, start))
    assert said == ["200 OK"]
    trials = json.loads(body)["trials"]
    assert [own["number"] for own in trials] == list(range(9))
    assert [len(own["intermediate_values"]) for own in trials] == [3, 3, 3, 3, 0, 0, 0, 0, 0]
    assert all(len(own.intermediate_values) == 3 for own in study.trials)
    close(storage)
