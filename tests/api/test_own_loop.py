"""Confirming anybody's study: its objective, called again with finalists and fresh seeds."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.trial import FixedTrial, TrialState

import lrsearch
from lrsearch.report.frames import read_stored
from lrsearch.study import recommendation
from lrsearch.study import stored as studies
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


def wide(trial: optuna.Trial) -> float:
    """Best at a rate of 0.05 under a name of its own, with a valley so wide that 0.07 is nearly as good as that."""
    rate = trial.suggest_float("optim.lr", 0.001, 0.1, log=True)
    luck = random.Random(lrsearch.seed(trial)).gauss(0, 0.01)
    return 10 + abs(math.log2(rate / 0.05)) ** 4 + luck + 0.001 * math.sin(1e6 * rate)


def wide_study(*rates: float) -> optuna.Study:
    study = optuna.create_study(study_name="own")
    for rate in rates:
        study.enqueue_trial({"optim.lr": rate})
    study.optimize(wide, n_trials=len(rates))
    return study


def runs_at(study: optuna.Study) -> dict[float, int]:
    """Rate -> seeds that the confirmation has run it on."""
    trials = optuna.load_study(study_name="own/confirm", storage=study._storage).trials
    return dict(Counter(float(f"{trial.params['optim.lr']:.3g}") for trial in trials))


def test_half_and_twice_the_rate_are_run_and_then_the_middle_of_those_that_are_as_good() -> None:
    """Beyond the range of the study, too; the middle is a finalist, and what is recommended has flanks of its own."""
    study = wide_study(0.08, 0.01)
    evidence = lrsearch.confirm(wide, study, top=2, seeds=4)
    assert runs_at(study) == {0.08: 4, 0.01: 4, 0.04: 4, 0.16: 4, 0.0566: 4, 0.0283: 4, 0.113: 4}
    assert evidence.recommended.role == "middle"
    stored = studies.load(study._storage, "own")
    found, told = recommendation.best_settings(stored), read_stored(stored).answer
    assert found.valley is not None
    assert found.params["optim.lr"] == found.valley.lr == pytest.approx(0.0566, rel=1e-2)
    assert [found.valley.beside(factor) is not None for factor in (0.5, 2.0)] == [True, True]
    assert told is not None
    assert told.valley == found.valley, "the report calls the rate lr"
    assert lrsearch.confirm(wide, study, top=2, seeds=4).recommended.params == evidence.recommended.params
    assert sum(runs_at(study).values()) == 28, "asked again, nothing is run"
    copied = optuna.create_study()
    copied.add_trials(optuna.load_study(study_name="own/confirm", storage=study._storage).trials)


def test_other_rates_are_not_run_where_nobody_wants_them_or_knows_which_parameter_is_the_rate() -> None:
    study = wide_study(0.08, 0.01)
    assert not lrsearch.confirm(wide, study, top=2, seeds=2, valley=False).beside
    assert runs_at(study) == {0.08: 2, 0.01: 2}
    two = optuna.create_study(study_name="own", sampler=optuna.samplers.RandomSampler(seed=0))

    def two_rates(trial: optuna.Trial) -> float:
        return wide(trial) + 0 * trial.suggest_float("encoder.lr", 0.1, 1, log=True)

    two.optimize(two_rates, n_trials=2)
    assert not lrsearch.confirm(two_rates, two, top=1, seeds=2).beside
    named = lrsearch.confirm(two_rates, two, top=1, seeds=2, lr_parameter="optim.lr")
    lr = named.contenders[0].params["optim.lr"]
    assert lr / 2 in [pytest.approx(one.params["optim.lr"], rel=1e-4) for one in named.beside]
    with pytest.raises(lrsearch.InputError, match="no such parameter"):
        lrsearch.confirm(two_rates, two, lr_parameter="lr")


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
