"""Samplers of Optuna by their class: arguments are checked, and what they answer hangs on the stored trials alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.sampling import optuna_samplers
from lrsearch.sampling.ask import Asked, Asker
from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import Claim, TrialEnd
from lrsearch.study import control
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition

Define = Callable[..., Definition]
TOLD = 12


def study(define: Define, folder: Path, sampler: str, **options: Any) -> StoredStudy:
    """A study with some trials that have ended."""
    definition = define(study={"name": "s", "trials": 200}, sampler={"name": sampler, **options})
    stored = studies.create(open_storage(f"sqlite:///{folder}/s.db", create=True), definition, "mse")
    for _ in range(TOLD):
        tell(stored, asker_of(stored).ask(claim(stored, 1)))
    return stored


def asker_of(stored: StoredStudy) -> Asker:
    assert stored.definition is not None
    return Asker(stored.definition, stored.reader, study=stored.study)


def claim(stored: StoredStudy, number: int) -> list[Claim]:
    return trial_store(stored.study, stored.storage).claim(number, 200, Worker.this().as_dict())


def tell(stored: StoredStudy, asked: Asked) -> None:
    store = trial_store(stored.study, stored.storage)
    store.choose({own.trial_id: settled for own, settled in asked.chosen.items()})
    values = {own: float(np.log10(settled.params["lr"]) + 2) ** 2 for own, settled in asked.chosen.items()}
    store.finish([TrialEnd(own.trial_id, TrialState.COMPLETE, value) for own, value in values.items()])


def params(asked: Asked) -> dict[int, dict[str, Any]]:
    return {own.number: dict(settled.params) for own, settled in asked.chosen.items()}


@pytest.mark.parametrize("name", ["GPSampler", "TPESampler", "NSGAIISampler"])
def test_answers_hang_on_what_is_stored(define: Define, tmp_path: Path, name: str) -> None:
    """After a restart or asked again: the same; two that are asked for together differ."""
    stored = study(define, tmp_path, f"optuna:{name}")
    claims = claim(stored, 2)
    asked = params(asker_of(stored).ask(claims))
    assert params(asker_of(stored).ask(claims)) == asked
    assert asked[TOLD]["lr"] != asked[TOLD + 1]["lr"]
    assert {"decay"} <= asked[TOLD].keys() if asked[TOLD]["scheduler"] == "lambda" else True


def test_an_excluded_trial_teaches_nothing(define: Define, tmp_path: Path) -> None:
    stored = study(define, tmp_path, "optuna:TPESampler", n_startup_trials=5)
    claims = claim(stored, 1)
    before = params(asker_of(stored).ask(claims))
    best = min(stored.trials()[:TOLD], key=lambda trial: trial.value or 0.0)
    control.exclude(stored, best.number, "a mistake")
    assert params(asker_of(stored).ask(claims)) != before
    control.include(stored, best.number)
    assert params(asker_of(stored).ask(claims)) == before


def test_it_answers_as_optuna_would(define: Define, tmp_path: Path) -> None:
    """The reference is a study of Optuna with the same trials, asked by a sampler with the same seed."""
    stored = study(define, tmp_path, "optuna:TPESampler", n_startup_trials=5, seed=3)
    asked = params(asker_of(stored).ask(claim(stored, 1)))[TOLD]
    seed = int(np.random.default_rng([3, TOLD]).integers(2**31))
    plain = optuna.create_study(sampler=optuna.samplers.TPESampler(n_startup_trials=5, seed=seed))
    plain.add_trials([trial for trial in stored.trials() if trial.state == TrialState.COMPLETE])
    trial = plain.ask()
    assert trial.suggest_float("lr", 1e-4, 0.3, log=True) == pytest.approx(asked["lr"], rel=1e-5)
    assert trial.suggest_categorical("scheduler", ["constant", "lambda"]) == asked["scheduler"]


def test_a_genetic_sampler_keeps_its_generations(define: Define, tmp_path: Path) -> None:
    """It notes them at the trials; without that it would draw at random for ever."""
    stored = study(define, tmp_path, "optuna:NSGAIISampler", population_size=5)
    noted = [trial.system_attrs for trial in stored.trials()]
    generations = [value for own in noted for key, value in own.items() if key.endswith("generation")]
    assert max(generations) >= 1


@pytest.mark.parametrize(
    ("sampler", "words"),
    [
        ({"name": "optuna:GPSamplr"}, "did you mean optuna:GPSampler"),
        ({"name": "optuna:GPSampler", "n_startup_trails": 3}, "did you mean n_startup_trials"),
        ({"name": "optuna:GPSampler", "n_startup_trials": "3"}, "must be a whole number"),
        ({"name": "optuna:TPESampler", "n_startup_trials": 3, "gamma": 2}, "unknown key"),
        ({"name": "optuna:NSGAIISampler", "population_size": 1}, "population_size"),
        ({"name": "optuna:GridSampler"}, 'write name = "grid"'),
        ({"name": "optuna:BruteForceSampler"}, "step must be given"),
    ],
)
def test_what_is_wrong_is_said(define: Define, sampler: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        define(sampler=sampler)


def test_every_class_of_optuna_is_known_or_refused_with_a_reason(define: Define) -> None:
    names = optuna_samplers.names()
    assert {"optuna:GPSampler", "optuna:TPESampler", "optuna:RandomSampler", "optuna:QMCSampler"} <= set(names)
    assert not any("Base" in name for name in names)
    for name in names:
        assert name in registry.samplers
        try:
            assert define(sampler={"name": name}).sampler.name == name
        except InputError as error:
            assert len(error.faults) == 1  # noqa: PT017
            assert error.faults[0].key in ("sampler", "sampler.name")  # noqa: PT017


def test_a_running_trial_keeps_its_attributes() -> None:
    axes = {"lr": FloatDistribution(0.1, 1.0), "scheduler": CategoricalDistribution(["constant"])}
    storage = optuna.storages.InMemoryStorage()
    stored = optuna.create_study(storage=storage).ask()
    storage.set_trial_system_attr(stored._trial_id, "note", 3)
    own = optuna_samplers._running(7, {"lr": 0.5}, axes, storage.get_trial(stored._trial_id))
    assert (own.number, own.params, own.system_attrs) == (7, {"lr": 0.5}, {"note": 3})
