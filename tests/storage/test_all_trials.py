"""Reading all trials at once gives what Optuna reads, on every database."""

from __future__ import annotations

import math

import optuna
from databases import close
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from lrsearch.storage.choice import study_reader
from lrsearch.storage.rdb import open_storage

KINDS = {
    "lr": FloatDistribution(1e-4, 0.3, log=True),
    "scheduler": CategoricalDistribution(["constant", "lambda"]),
    "patience": IntDistribution(1, 10),
}


def test_it_reads_what_optuna_reads(database_url: str) -> None:
    """Every state, odd numbers, attributes of both kinds; and nothing of the study beside it."""
    storage = open_storage(database_url, create=True)
    try:
        study = optuna.create_study(study_name="read", storage=storage)
        optuna.create_study(study_name="beside", storage=storage).add_trial(create_trial(value=1.0))
        study.add_trial(
            create_trial(
                value=-math.inf,
                params={"patience": 3, "lr": 0.0123456789012345678, "scheduler": "lambda"},
                distributions=KINDS,
                user_attrs={"curve": [1.0, None], "text": 'é"|'},
                intermediate_values={3: math.nan, 1: math.inf, 2: -math.inf, 10: 0.1},
                constraints={"diverged": 1.0},
            )
        )
        study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values={1: 2.0}))
        study.add_trial(create_trial(state=TrialState.FAIL, user_attrs={"error": "a reason"}))
        study.enqueue_trial({"lr": 0.1})
        study.ask()
        expected = sorted(study.get_trials(), key=lambda trial: trial.number)
        read = study_reader(study, storage).all_trials()
        assert [repr(_sorted(trial)) for trial in read] == [repr(_sorted(trial)) for trial in expected]
        assert list(read[0].params) == ["patience", "lr", "scheduler"]
    finally:
        close(storage)


def _sorted(trial: optuna.trial.FrozenTrial) -> dict[str, object]:
    """Everything about a trial; as text it can be compared where NaN is in it."""
    parts = dict(vars(trial))
    for name in ("_user_attrs", "_system_attrs", "intermediate_values"):
        parts[name] = sorted(parts[name].items())
    return parts


def test_a_storage_that_is_no_database_is_read_through_optuna() -> None:
    study = optuna.create_study()
    study.add_trial(create_trial(value=1.0))
    assert study_reader(study, study._storage).all_trials() == study.trials


def test_a_study_of_several_objectives_is_read_as_optuna_reads_it(database_url: str) -> None:
    """It is another tool's; the order in which the database has the values says nothing."""
    storage = open_storage(database_url, create=True)
    try:
        study = optuna.create_study(study_name="two", storage=storage, directions=["minimize", "maximize"])
        study.add_trials([create_trial(values=[1.0, math.inf]), create_trial(values=[3.0, 2.0])])
        assert [trial.values for trial in study_reader(study, storage).all_trials()] == [[1.0, math.inf], [3.0, 2.0]]
    finally:
        close(storage)
