"""How long does it take to choose settings for a generation, in a study that has many trials? Run it by hand.

    python tests/benchmarks/asking.py [URL ...] [--trials 1000 5000 10000] [--generation 512]

Each URL names a database in which a study may be created; it is deleted afterwards. Without any it is an SQLite file in
a temporary folder. The first generation is what a process asks that goes on with the study: it reads all trials. For
comparison Optuna's own sampler is asked one by one, a few times, on the same study.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import warnings
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from lrsearch.sampling.ask import Asker
from lrsearch.sampling.proposer import Uniform
from lrsearch.sampling.space import Space
from lrsearch.storage import tables
from lrsearch.storage.choice import trial_store
from lrsearch.storage.counts import engine_of
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage, parse
from lrsearch.storage.store import TrialEnd
from lrsearch.storage.tables import TrialRows
from lrsearch.study import control
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import load

EPOCHS, RUNG, OPTUNA_ASKS = 60, 5, 3


def filled(storage: BaseStorage, trials: int, total: int) -> StoredStudy:
    """A study with as many trials as halving leaves: two of three end at the first rung."""
    name = f"benchmark_{random.SystemRandom().randrange(10**9)}"
    document: dict[str, Any] = {
        "study": {"name": name, "trials": total},
        "task": {"name": "polynomial"},
        "search": {"schedulers": ["classical"]},
    }
    stored = studies.create(storage, load.parse(document, "benchmark"), "mse")
    assert stored.definition is not None
    space, uniform, rng = Space.of(stored.definition), Uniform(1), random.Random(1)
    rows = []
    for number in range(trials):
        own = space.settle({}, uniform.point(number))
        curve = {epoch: rng.random() for epoch in range(1, (EPOCHS if number % 3 == 0 else RUNG) + 1)}
        state = TrialState.COMPLETE if number % 3 == 0 else TrialState.PRUNED
        value = curve[len(curve)]
        rows.append(TrialRows(state, value, own.params, own.distributions, intermediate=curve, started=tables.now()))
    engine = engine_of(storage)
    assert engine is not None
    study_id = storage.get_study_id_from_name(name)
    with engine.begin() as connection:
        tables.add_trials(connection, study_id, rows)
    return stored


def generation(stored: StoredStudy, asker: Asker, size: int) -> tuple[float, float]:
    """Seconds to choose the settings of a generation, and to store them; the generation is ended afterwards."""
    store = trial_store(stored.study, stored.storage)
    claims = store.claim(size, 10**6, Worker.this().as_dict())
    began = time.perf_counter()
    chosen = asker.ask(claims).chosen
    asked = time.perf_counter()
    store.choose({claim.trial_id: own for claim, own in chosen.items()})
    stored_at = time.perf_counter()
    store.finish([TrialEnd(claim.trial_id, TrialState.COMPLETE, 1.0) for claim in claims])
    assert len({tuple(own.params.items()) for own in chosen.values()}) == size
    return asked - began, stored_at - asked


def optuna_ask(stored: StoredStudy) -> float:
    """Seconds for one trial's settings with Optuna's sampler, from a study object that has read all trials before."""
    sampler = optuna.samplers.TPESampler(seed=0, multivariate=True, group=True)
    study = optuna.load_study(study_name=stored.name, storage=stored.storage, sampler=sampler)
    assert stored.definition is not None
    space = Space.of(stored.definition)
    seconds = []
    for _ in range(OPTUNA_ASKS):
        study.get_trials(deepcopy=False)
        began = time.perf_counter()
        trial = study.ask()
        space.settle({}, lambda name, axis, trial=trial: suggest(trial, name, axis))
        seconds.append(time.perf_counter() - began)
        study.tell(trial, 1.0)
    return sorted(seconds)[OPTUNA_ASKS // 2]


def suggest(trial: optuna.Trial, name: str, axis: BaseDistribution) -> Any:
    """One parameter from Optuna's sampler."""
    if isinstance(axis, CategoricalDistribution):
        return trial.suggest_categorical(name, axis.choices)
    if isinstance(axis, IntDistribution):
        return trial.suggest_int(name, axis.low, axis.high, log=axis.log)
    assert isinstance(axis, FloatDistribution)
    return trial.suggest_float(name, axis.low, axis.high, log=axis.log)


def main() -> None:
    """Print a markdown table."""
    options = argparse.ArgumentParser()
    options.add_argument("urls", nargs="*", metavar="URL")
    options.add_argument("--trials", type=int, nargs="+", default=[1000, 5000, 10000])
    options.add_argument("--generation", type=int, default=512)
    given = options.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    print(f"| database | trials | first {given.generation}, s | next {given.generation}, s | storing them, s |", end="")
    print(" Optuna, one ask, s |\n|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for url in given.urls or [f"sqlite:///{folder}/asking.db"]:
            storage = open_storage(url, create=True)
            for trials in given.trials:
                stored = filled(storage, trials, trials + 2 * given.generation)
                assert stored.definition is not None
                asker = Asker(stored.definition, stored.reader)
                first, _ = generation(stored, asker, given.generation)
                following, storing = generation(stored, asker, given.generation)
                alone = optuna_ask(stored)
                kind = parse(url).get_backend_name()
                print(
                    f"| {kind} | {trials} | {first:.2f} | {following:.2f} | {storing:.2f} | {alone:.2f} |", flush=True
                )
                control.delete(stored)
            storage.remove_session()
            engine = engine_of(storage)
            assert engine is not None
            engine.dispose()


if __name__ == "__main__":
    main()
