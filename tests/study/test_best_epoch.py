"""Confirmation of a study that keeps the best epoch: the rows that choose it are not those that score it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import lrsearch
from lrsearch.sampling.space import SEED, settings_from
from lrsearch.storage.attributes import BLOCK_VALUES, KEPT_EPOCHS
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.holdout import halved
from lrsearch.study_file.model import Definition
from lrsearch.training.evaluation import evaluate
from lrsearch.training.loop import start, train


@pytest.mark.parametrize("holdout_rows", [20, 0])
def test_the_score_is_that_of_the_chosen_epoch_on_other_rows(
    holdout_rows: int, tmp_path: Path, define: Callable[..., Definition]
) -> None:
    """A plain loop chooses the epoch on test rows, or on half of them, and looks at the others after that epoch."""
    definition = define(
        study={"name": "best", "trials": 4, "value": "best"},
        task={"name": "polynomial", "rows": 80, "holdout_rows": holdout_rows},
        training={"epochs": 8, "batch_size": 14},
        search={"schedulers": ["constant"], "lr": {"low": 0.01, "high": 0.3, "log": True}},
        confirm={"top": 1, "seeds": 2, "contestants": []},
    )
    study = lrsearch.create_study(definition.document(), storage=f"sqlite:///{tmp_path}/a.db")
    study = lrsearch.run_study(study, engine="sequential")
    linked = studies.linked(study, "confirm")
    assert linked is not None
    task = opening.build_task(definition)
    task = task if holdout_rows else halved(task)
    assert isinstance(task.holdout, tuple)
    early = 0
    for trial in linked.trials():
        settings = settings_from({name: value for name, value in trial.params.items() if name != SEED})
        run = start(task, settings.schedule, settings.lr, definition.training, int(trial.params[SEED]))
        looks = []
        for record in train(run):
            score = evaluate(run.model, task.holdout, {"score": task.metric_function})["score"]
            looks.append((record.test_metric, record.epoch, score))
        _, epoch, score = min(looks)
        assert trial.user_attrs[KEPT_EPOCHS] == [epoch]
        assert trial.values[0] == pytest.approx(score, rel=1e-4)
        assert np.mean(trial.user_attrs[BLOCK_VALUES]) == pytest.approx(score, rel=1e-4)
        early += epoch < 8
    assert early, "otherwise the last epoch would do"
    evidence = lrsearch.best_settings(study)
    assert (evidence.basis, evidence.rows) == ("confirmed", "holdout" if holdout_rows else "test")
    told = lrsearch.write_report(study, output=tmp_path / "report").read_text(encoding="utf-8")
    assert "best epoch" in told
    assert ("half of the test rows" in told) == (not holdout_rows)


def test_each_test_row_chooses_or_scores() -> None:
    rows = (torch.arange(9.0)[:, None], torch.arange(9.0)[:, None])
    whole = lrsearch.Task(lambda: torch.nn.Linear(1, 1), rows, rows, loss="mse", metric="mse")
    task = halved(whole)
    assert isinstance(task.test, tuple)
    assert isinstance(task.holdout, tuple)
    assert [len(task.test[0]), len(task.holdout[0])] == [5, 4]
    assert sorted(torch.cat([task.test[0], task.holdout[0]]).flatten().tolist()) == list(range(9))
