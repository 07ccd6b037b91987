"""A study read into frames."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.errors import InputError
from lrsearch.report.frames import read
from lrsearch.report.trial_tables import COLUMNS, CURVES
from lrsearch.storage import attributes

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]


def test_a_study_written_by_ask_and_tell_to_sqlite_is_read_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    written = optuna.create_study(study_name="disk", storage=url)
    written.set_user_attr(attributes.METRIC, "mae")
    asked = written.ask()
    asked.suggest_float("lr", 0.1, 0.1)
    asked.suggest_categorical("scheduler", ("lambda",))
    for epoch, value in ((2, 3.0), (1, 4.0), (3, 2.5)):
        asked.report(value, epoch)
    asked.set_user_attr(attributes.TRAIN_CURVE, [3.5, None, 2.0])
    asked.set_user_attr(attributes.LR_CURVE, [0.1, 0.09, 0.08])
    asked.set_user_attr(attributes.EXTRA_CURVES, {"accuracy": [0.1, 0.5, 0.9]})
    written.tell(asked, 2.5)

    frames = read(optuna.load_study(study_name="disk", storage=url))

    assert (frames.name, frames.metric, frames.extras) == ("disk", "mae", ["accuracy"])
    row = frames.trials.iloc[0]
    assert (row["state"], row["value"], row["lr"], row["scheduler"], row["epochs"]) == (
        "complete", 2.5, 0.1, "lambda", 3.0,
    )  # fmt: skip
    assert frames.curves["epoch"].tolist() == [1, 2, 3]
    assert frames.curves["test_metric"].tolist() == [4.0, 3.0, 2.5]
    assert frames.curves["train_metric"].isna().tolist() == [False, True, False]
    assert frames.curves["accuracy"].tolist() == [0.1, 0.5, 0.9]


def test_a_diverged_trial_is_complete_and_marked(trial: Make, study: MakeStudy) -> None:
    frames = read(study([trial(diverged=True, epochs=2)]))
    row = frames.trials.iloc[0]
    assert row["state"] == "complete"
    assert row["diverged"]
    assert row["diverged_at"] == 2
    assert row["value"] == row["before"] == 30.0
    assert math.isinf(frames.curves["test_metric"].iloc[-1])
    assert math.isfinite(row["last"])


def test_a_trial_is_retried_or_excluded_only_if_it_says_why(trial: Make, study: MakeStudy) -> None:
    taken_back = trial(**{attributes.EXCLUDED: None, attributes.RETRIED: ""})
    named = trial(**{attributes.EXCLUDED: "wrong data", attributes.RETRIED: "lost its worker"})
    trials = read(study([taken_back, named])).trials
    assert trials["excluded"].tolist() == [None, "wrong data"]
    assert trials["retried"].tolist() == [None, "lost its worker"]


def test_the_definition_is_the_one_that_was_stored(study: MakeStudy) -> None:
    definition = read(study(name="mine", budget=12)).definition
    assert definition is not None
    assert (definition.study.name, definition.trials, definition.training.epochs) == ("mine", 12, 6)


@pytest.mark.parametrize("stored", ["a text", {"task": {"name": "polynomial"}, "studdy": {}}])
def test_a_definition_that_is_not_understood_is_named_not_raised(study: MakeStudy, stored: object) -> None:
    made = study()
    made.set_user_attr(attributes.DEFINITION, stored)
    frames = read(made)
    assert frames.definition is None
    assert frames.definition_fault


def test_an_empty_study_has_empty_frames_with_all_columns(study: MakeStudy) -> None:
    frames = read(study())
    assert list(frames.trials.columns) == list(COLUMNS)
    assert list(frames.curves.columns) == list(CURVES)
    assert len(frames.trials) == len(frames.curves) == 0


def test_a_study_of_plain_optuna_has_what_is_there() -> None:
    study = optuna.create_study(direction="maximize")
    asked = study.ask()
    asked.suggest_float("learning_rate", 0.5, 0.5)
    asked.suggest_categorical("optimizer", ("sgd",))
    study.tell(asked, 0.75)
    frames = read(study)
    row = frames.trials.iloc[0]
    assert (frames.definition, frames.metric, frames.unit, frames.maximise) == (None, "value", "step", True)
    assert (row["lr"], row["scheduler"]) == (0.5, None)
    assert row["params"] == {"learning_rate": 0.5, "optimizer": "sgd"}
    assert math.isnan(row["before"])


def test_an_infinite_value_of_plain_optuna_counts_as_diverged() -> None:
    study = optuna.create_study()
    study.tell(study.ask(), math.inf)
    assert read(study).trials["diverged"].tolist() == [True]


def test_attributes_of_a_wrong_kind_are_missing(trial: Make, study: MakeStudy) -> None:
    odd = trial(
        **{attributes.TRAIN_CURVE: "none", attributes.EXTRA_CURVES: [1], attributes.SECONDS: "long",
           attributes.SEED_VALUES: [1.0, None, "x"]}
    )  # fmt: skip
    frames = read(study([odd]))
    assert math.isnan(frames.trials["seconds"].iloc[0])
    assert frames.curves["train_metric"].isna().all()
    assert frames.extras == []
    values = frames.trials["seed_values"].iloc[0]
    assert values[0] == 1.0
    assert math.isnan(values[1])
    assert math.isnan(values[2])


def test_several_objectives_are_refused() -> None:
    with pytest.raises(InputError, match="has 2 objectives"):
        read(optuna.create_study(directions=["minimize", "minimize"]))
