"""A study of few epochs, evaluated within them: the step is the number of evaluations finished, everywhere."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from optuna.trial import TrialState

import lrsearch
from lrsearch.errors import InputError
from lrsearch.report import markdown
from lrsearch.sampling.space import settings_from
from lrsearch.storage.attributes import AUDIT_CURVE, HORIZON, KEPT_EPOCHS, LR_CURVE
from lrsearch.study import open as opening
from lrsearch.study import recommendation
from lrsearch.study_file.load import parse
from lrsearch.study_file.model import Definition
from lrsearch.training.loop import start, train

Command = Callable[..., "subprocess.CompletedProcess[str]"]
EVALUATIONS = 6


def test_rungs_values_and_all_that_is_told_count_evaluations(
    define: Callable[..., Definition], here: Command, tmp_path: Path
) -> None:
    """Two epochs of three updates, with an evaluation after each update."""
    definition = define(
        study={"name": "often", "trials": 8, "value": "best"},
        training={"epochs": 2, "batch_size": 14, "evaluate_every": 1},
        search={"schedulers": ["constant", "plateau"], "lr": {"low": 1e-3, "high": 0.3, "log": True}},
        pruner={"name": "halving", "rungs": [0.34, 0.67], "audit": 0.4},
        confirm={"top": 1, "seeds": 2},
    )
    url = f"sqlite:///{tmp_path}/lrsearch.db"
    study = lrsearch.run_study(lrsearch.create_study(definition.document(), storage=url), engine="sequential")
    task, steps = opening.build_task(definition), 0
    seen: set[object] = set()
    for trial in study.trials():
        settings, audit = settings_from(trial.params), trial.user_attrs.get(AUDIT_CURVE, [])
        run = start(task, settings.schedule, settings.lr, definition.training, 24)
        curve = [record.test_metric for record in train(run)]
        told = [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]
        assert told + audit == curve[: len(told) + len(audit)]
        assert len(trial.user_attrs[LR_CURVE]) == len(told)
        assert trial.user_attrs[HORIZON] == {"constant": 2, "plateau": EVALUATIONS}[settings.schedule.name]
        assert trial.user_attrs[KEPT_EPOCHS] == [told.index(min(told)) + 1]
        whole = trial.state == TrialState.COMPLETE
        assert len(told) in ({EVALUATIONS} if whole else {2, 4})
        seen |= {trial.state, bool(audit)}
        steps += len(told) + len(audit)
    assert seen == {TrialState.COMPLETE, TrialState.PRUNED, True, False}
    summary = recommendation.summary(study)
    assert summary["epochs_trained"] == round(steps / 3)
    assert summary["pruning"]["epochs_unpruned"] == 16

    frames = lrsearch.load_frames(study)
    assert (frames.unit, frames.evaluations_per_epoch) == ("evaluation", 3)
    lrsearch.export_study(study, tmp_path / "curves.csv", curves=True)
    assert "evaluation" in pd.read_csv(tmp_path / "curves.csv").columns
    figure = lrsearch.plot_study(frames, "learning_curves")
    assert "evaluation" in {figure.get_supxlabel(), *(axes.get_xlabel() for axes in figure.axes)}
    report = " ".join(markdown.text(frames).split())
    assert "Each run is scored after its best evaluation" in report
    assert "of the 16 epochs" in report
    shown = json.loads(here("trial", "show", "often", "0", "--storage", url, "--format", "json").stdout)
    assert shown["curves"][0]["evaluation"] == 1
    again = here("train", "--from-study", "often", "--trial", "0", "--storage", url, "--format", "json", "--quiet")
    assert json.loads(again.stdout)["repeats"]["value"] is not None or shown["state"] == "pruned"
    assert json.loads(again.stdout)["epochs"] == 2


def test_what_cannot_follow_says_so(here: Command) -> None:
    """Steering goes by the epoch, and a command says itself when it evaluates."""
    run = lrsearch.start("polynomial", lr=0.01, epochs=2, training={"evaluate_every": 5}, task_options={"rows": 60})
    with pytest.raises(InputError, match="evaluate_every = 5"):
        run.train(epochs=1)
    with pytest.raises(InputError, match="steered by hand"):
        run.steer(epochs=1)
    asked = here("train", "--task", "polynomial", "--lr", "0.1", "--set", "training.evaluate_every=5", "--interactive")
    assert asked.returncode == 2
    assert "steered by hand" in " ".join(asked.stderr.split())
    document = {"study": {"name": "c", "trials": 1}, "command": {"run": "train {settings}"}}
    with pytest.raises(InputError, match="let epochs be how often it does"):
        parse({**document, "training": {"evaluate_every": 3}}, "test")
    section = {"epochs": 1_000_000, "batch_size": 14, "evaluate_every": 1}
    many = parse({"study": {"name": "m", "trials": 1}, "task": {"name": "polynomial"}, "training": section}, "test")
    with pytest.raises(InputError, match="there may be 1,000,000"):
        opening.create(many, "sqlite://")
