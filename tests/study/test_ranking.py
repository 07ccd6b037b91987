"""Which trial is the best is the same for every command, the confirmation and the report."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

import optuna
import pytest
from databases import close
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.cli.progress import _stored_line
from lrsearch.report import standings
from lrsearch.report.frames import read, read_stored
from lrsearch.storage.attributes import CONSTRAINT, DEFINITION, EXCLUDED, METRIC
from lrsearch.storage.rdb import open_storage
from lrsearch.study import control, finalists, ranking, recommendation, status
from lrsearch.study import stored as studies
from lrsearch.study.overview import overview
from lrsearch.study_file.model import Definition

STATES = [TrialState.COMPLETE, TrialState.COMPLETE, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL]
VALUES = [1.0, 2.0, 2.0, 3.0, math.inf, -math.inf]


def drawn(source: random.Random, number: int) -> FrozenTrial:
    state = source.choice(STATES)
    diverged = state == TrialState.COMPLETE and source.random() < 0.3
    return create_trial(
        state=state,
        value=None if state == TrialState.FAIL else source.choice(VALUES),
        params={"lr": 0.001 * (number + 1), "scheduler": "constant"},
        distributions={
            "lr": FloatDistribution(1e-4, 1.0),
            "scheduler": CategoricalDistribution(["constant", "lambda"]),
        },
        constraints={CONSTRAINT: 1.0} if diverged else None,
        intermediate_values={1: math.nan},
    )


def rule(study: optuna.Study, excluded: set[int]) -> list[int]:
    """The rule, slowly."""
    fit = [
        (trial.value, trial.number)
        for trial in study.get_trials()
        if trial.state == TrialState.COMPLETE and trial.value is not None and -math.inf < trial.value < math.inf
        and not trial.constraints.get(CONSTRAINT) and trial.number not in excluded
    ]  # fmt: skip
    sign = -1 if study.direction == optuna.study.StudyDirection.MAXIMIZE else 1
    return [number for _, number in sorted((sign * value, number) for value, number in fit)]


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("seed", range(12))
def test_all_say_the_same_of_synthetic_studies(define: Callable[..., Definition], seed: int, direction: str) -> None:
    source = random.Random(seed)
    storage = open_storage("sqlite://", create=True)
    study = optuna.create_study(study_name="small", storage=storage, direction=direction)
    study.add_trials([drawn(source, number) for number in range(source.randrange(14))])
    excluded = {number for number in range(len(study.trials)) if source.random() < 0.2}
    study.set_user_attr(EXCLUDED, {str(number): source.choice(["bad", ""]) for number in sorted(excluded)})
    study.set_user_attr(METRIC, "mse")
    study.set_user_attr(DEFINITION, define().document())
    stored = studies.load(storage, "small")
    expected = rule(study, excluded)
    trials = stored.trials()
    ranked = ranking.ranked(trials, stored.excluded(), maximise=direction == "maximize")
    assert [trial.number for trial in ranked] == expected
    assert standings.ranked(read_stored(stored))["number"].tolist() == expected
    chosen = [own for own in finalists.finalists(stored, 20) if own.role == "search"]
    assert [own.number for own in chosen] == expected
    winner = status.best(stored)
    assert (winner.number if winner else None) == (expected[0] if expected else None)
    assert status.best_value(stored) == (winner.value if winner else None)
    study.set_user_attr(DEFINITION, None)
    other = replace(stored, definition=None)  # of another tool: its trials are read
    assert status.best_value(other) == (winner.value if winner else None)
    close(storage)


def test_another_tools_broken_constraint_keeps_a_trial_from_being_the_best() -> None:
    study = optuna.create_study()
    study.add_trials([create_trial(value=1.0, constraints={"memory": 0.5}), create_trial(value=2.0)])
    assert [trial.number for trial in ranking.ranked(study.trials, (), maximise=False)] == [1]
    assert standings.ranked(read(study))["number"].tolist() == [1]


def test_after_an_exclusion_the_list_and_the_progress_agree_with_the_best(
    database_url: str, define: Callable[..., Definition]
) -> None:
    storage = open_storage(database_url, create=True)
    stored = studies.create(storage, define(), "mse")
    stored.study.add_trials([create_trial(value=value) for value in (1.0, 2.0, 3.0)])
    control.exclude(stored, 0, "wrong data")
    winner = recommendation.best_settings(stored)
    assert (winner.number, winner.value) == (1, 2.0)
    assert status.best_value(stored) == 2.0
    recommendation.keep(stored)
    (row,) = overview(database_url, lambda name, error: pytest.fail(f"{name}: {error}"))
    assert row["expected"] == winner.expected == 2.5, "the median of what is left"
    assert "best mse 2 ·" in _stored_line(stored, 0, 1.0)
    control.exclude(stored, 1, "wrong data")
    control.exclude(stored, 2, "wrong data")
    assert status.best_value(stored) is None
    assert status.best(stored) is None
    control.include(stored, 0)
    assert status.best_value(stored) == 1.0
    close(storage)


def test_a_tried_setting_whose_trial_is_excluded_is_trained_again_without_its_value(
    define: Callable[..., Definition],
) -> None:
    storage = open_storage("sqlite://", create=True)
    stored = studies.create(storage, define(**{"try": [{"lr": 0.01, "scheduler": "constant"}]}), "mse")
    params = {"lr": 0.01, "scheduler": "constant"}
    kinds = {"lr": FloatDistribution(1e-4, 1.0, log=True), "scheduler": CategoricalDistribution(["constant", "lambda"])}
    stored.study.add_trials([create_trial(value=value, params=params, distributions=kinds) for value in (1.0, 2.0)])
    first = [trial.number for trial in stored.trials() if trial.value == 1.0]
    control.exclude(stored, first[0], "wrong data")
    (only,) = [own for own in finalists.finalists(stored, 3) if own.params == params]
    assert only.value == 2.0
    close(storage)
