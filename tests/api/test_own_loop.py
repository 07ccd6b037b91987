"""Confirming anybody's study: its objective, called again with finalists and fresh seeds."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.trial import FixedTrial, TrialState

import lrsearch
from lrsearch.study.confirmation import FIRST_SEED

Objective = Callable[[optuna.Trial], float]


def lossy(trial: optuna.Trial) -> float:
    """A loop whose value is best at a rate of 0.1, and a little better with a schedule; the seed is most of it."""
    schedule = lrsearch.suggest_schedule(trial, ["constant", "cosine"], horizon=4)
    luck = random.Random(lrsearch.seed(trial)).gauss(0, 0.3)
    value = 2 + abs(math.log10(schedule.lr) + 1) + luck - 0.5 * (schedule.schedule.name == "cosine")
    trial.report(value + 1, 1)
    if trial.should_prune():
        raise optuna.TrialPruned
    return value


def optimised(storage: str | None = None, objective: Objective = lossy, direction: str = "minimize") -> optuna.Study:
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(study_name="own", storage=storage, sampler=sampler, direction=direction)
    study.optimize(objective, n_trials=12)
    return study


@pytest.mark.parametrize(("database", "jobs"), [("", 1), ("sqlite:///{}/own.db", 3)], ids=["memory", "sqlite"])
def test_finalists_run_on_fresh_seeds_until_it_is_decided(database: str, jobs: int, tmp_path: Path) -> None:
    study = optimised(database.format(tmp_path) or None)
    evidence = lrsearch.confirm(lossy, study, top=3, n_jobs=jobs)
    assert evidence.is_finished
    assert evidence.seeds[0] == FIRST_SEED
    assert evidence.recommended.params["scheduler"] == "cosine"
    assert evidence.recommended.is_complete
    confirmed = optuna.load_study(study_name="own/confirm", storage=study._storage)
    assert {trial.state for trial in confirmed.trials} == {TrialState.COMPLETE}
    assert len({frozenset(trial.params.items()) for trial in confirmed.trials}) == len(confirmed.trials)
    assert all(trial.params["seed"] >= FIRST_SEED for trial in confirmed.trials)


def test_asked_again_it_runs_only_what_is_new() -> None:
    study = optimised()
    lrsearch.confirm(lossy, study, top=2, seeds=2)
    calls = []

    def counted(trial: optuna.Trial) -> float:
        calls.append(lrsearch.seed(trial))
        return lossy(trial)

    assert len(lrsearch.confirm(counted, study, top=2, seeds=2).seeds) == 2
    assert calls == []
    assert len(lrsearch.confirm(counted, study, top=2, seeds=3).seeds) == 3
    assert set(calls) == {FIRST_SEED + 2}


def test_what_was_interrupted_is_run_again(tmp_path: Path) -> None:
    study = optimised(f"sqlite:///{tmp_path}/own.db")

    def interrupted(trial: optuna.Trial) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lrsearch.confirm(interrupted, study, top=2, seeds=2)
    evidence = lrsearch.confirm(lossy, study, top=2, seeds=2)
    assert evidence.is_finished
    assert all(one.failed == 0 for one in evidence.contenders)


def test_a_run_that_fails_takes_out_its_settings_and_nothing_else() -> None:
    study = optimised()
    best = study.best_params

    def failing(trial: optuna.Trial) -> float:
        if trial.params.get("lr") == best["lr"] and lrsearch.seed(trial) == FIRST_SEED + 1:
            raise ZeroDivisionError
        return lossy(trial)

    evidence = lrsearch.confirm(failing, study, top=3, seeds=3)
    lost = next(one for one in evidence.contenders if one.params["lr"] == best["lr"])
    assert (lost.failed, lost.is_complete) == (1, False)
    assert evidence.recommended.params != best


def test_an_objective_that_does_not_use_the_seed_gets_no_verdict() -> None:
    def unseeded(trial: optuna.Trial) -> float:
        return trial.suggest_float("lr", 1e-3, 1, log=True)

    study = optimised(None, unseeded)
    with pytest.warns(lrsearch.LrsearchWarning, match="does not use lrsearch.seed"):
        evidence = lrsearch.confirm(unseeded, study, top=3)
    assert not evidence.uses_seeds
    assert len(evidence.seeds) == 2


def test_the_recommendation_of_such_a_study_is_that_of_its_confirmation(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/own.db"
    negative: Objective = lambda trial: -lossy(trial)  # noqa: E731
    study = optimised(url, negative, "maximize")
    assert lrsearch.best_settings("own", storage=url).basis == "search"
    evidence = lrsearch.confirm(negative, study, top=3)
    found = lrsearch.best_settings("own", storage=url)
    assert (found.basis, found.direction, found.params) == ("confirmed", "maximize", evidence.recommended.params)
    assert found.code is not None
    report = lrsearch.write_report("own", storage=url, output=tmp_path / "report").read_text()
    assert "run again on fresh seeds" in report
    assert "0 test rows" not in report


def several(trial: optuna.Trial) -> tuple[float, float]:
    return trial.suggest_float("x", 0, 1), 1.0


def test_what_cannot_be_confirmed_is_refused() -> None:
    empty = optuna.create_study()
    with pytest.raises(lrsearch.InputError, match="no complete trial"):
        lrsearch.confirm(lossy, empty)
    two = optuna.create_study(directions=["minimize", "minimize"])
    two.optimize(several, n_trials=1)
    with pytest.raises(lrsearch.InputError, match="2 objectives"):
        lrsearch.confirm(lossy, two)
    seeded = optuna.create_study()
    seeded.optimize(lambda trial: trial.suggest_int("seed", 0, 9), n_trials=2)
    with pytest.raises(lrsearch.InputError, match=r"take lrsearch\.seed\(trial\)"):
        lrsearch.confirm(lossy, seeded)
    with pytest.raises(lrsearch.InputError, match="n_jobs = 0"):
        lrsearch.confirm(lossy, empty, n_jobs=0)


def test_a_search_has_one_seed() -> None:
    assert lrsearch.seed(FixedTrial({})) == 0
    assert lrsearch.seed(FixedTrial({}), default=24) == 24
    with pytest.raises(lrsearch.InputError, match="whole number"):
        lrsearch.seed(FixedTrial({}), default=-1)
