"""A study from Python, from its definition to its report."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import pytest

import lrsearch

DOCUMENT: dict[str, Any] = {
    "study": {"name": "small", "trials": 4},
    "task": {"name": "polynomial", "rows": 60, "holdout_rows": 0},
    "training": {"epochs": 3},
    "search": {"schedulers": ["constant", "lambda"]},
    "confirm": {"top": 0},
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'studies.db'}"


def test_a_study_is_created_run_read_and_reported(url: str, tmp_path: Path) -> None:
    study = lrsearch.run_study(lrsearch.create_study(DOCUMENT, storage=url))
    frames = lrsearch.load_frames("small", storage=url)
    assert list(frames.trials["state"].isin(["complete", "pruned"])) == [True] * 4
    best = lrsearch.best_settings(study)
    assert best.value == frames.trials["value"][best.number]
    assert best.code is not None
    assert "torch.optim" in best.code
    report = lrsearch.write_report(study, output=tmp_path / "report")
    assert report.read_text().startswith("# Learning-rate report: small")


def test_a_file_is_created_and_run_in_one_step(url: str, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[study]\nname = "own"\ntrials = 2\nload = ["ours.py"]\n[task]\nname = "from_a_file"\n'
        "[training]\nepochs = 2\n[confirm]\ntop = 0\n"
    )
    (tmp_path / "ours.py").write_text(
        "import lrsearch, torch\n\n\n@lrsearch.task\ndef from_a_file(*, rows: int = 20) -> lrsearch.Task:\n"
        "    x = torch.ones(rows, 1)\n"
        "    return lrsearch.Task(lambda: torch.nn.Linear(1, 1), (x, x), (x + 1, x), loss='mse', metric='mse')\n"
    )
    assert lrsearch.run_study(file, storage=url).definition.trials == 2  # type: ignore[union-attr]
    more = lrsearch.run_study("own", storage=url, trials=3)
    assert len(more.trials()) == 3


def test_the_environment_says_where_studies_are(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRSEARCH_STORAGE", url)
    lrsearch.create_study(DOCUMENT)
    assert lrsearch.load_frames("small").name == "small"


def test_a_study_that_exists_is_an_error_unless_it_is_wanted(url: str) -> None:
    lrsearch.create_study(DOCUMENT, storage=url)
    with pytest.raises(lrsearch.InputError, match="a study of that name exists"):
        lrsearch.create_study(DOCUMENT, storage=url)
    assert lrsearch.create_study(DOCUMENT, storage=url, load_if_exists=True).name == "small"
    other = {**DOCUMENT, "training": {"epochs": 9}}
    with pytest.raises(lrsearch.InputError, match=r"training\.epochs = 9: the stored study has 3"):
        lrsearch.create_study(other, storage=url, load_if_exists=True)


def test_an_unknown_study_is_named_with_its_nearest(url: str) -> None:
    with pytest.raises(lrsearch.InputError, match="there is no database"):
        lrsearch.load_frames("small", storage=url)
    lrsearch.create_study(DOCUMENT, storage=url)
    with pytest.raises(lrsearch.InputError, match="did you mean small"):
        lrsearch.load_frames("smal", storage=url)


def test_a_study_runs_in_a_thread_too(url: str) -> None:
    """Signals belong to the main thread; a server has others."""
    study = lrsearch.create_study(DOCUMENT, storage=url)
    worker = threading.Thread(target=lrsearch.run_study, args=(study,))
    worker.start()
    worker.join()
    assert all(trial.state.is_finished() for trial in study.trials())


def test_optunas_log_level_is_the_callers_again(url: str) -> None:
    logger = logging.getLogger("optuna")
    before = logger.level
    lrsearch.create_study(DOCUMENT, storage=url)
    assert logger.level == before
