"""How much faster is writing in bulk than Optuna's ask, report and tell? Run it by hand; pytest does not collect it.

    python tests/benchmarks/bulk_writing.py [URL ...]

Each URL names a database in which a study may be created; it is deleted afterwards. Without any it is an SQLite file in
a temporary folder. Both ways take turns on the same database, so that what else the machine does hits both.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import TrialState

from lrsearch.storage.choice import trial_store
from lrsearch.storage.counts import engine_of
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage, parse
from lrsearch.storage.store import Chosen, TrialEnd

TRIALS, PEER_TRIALS, ROUNDS = 256, 8, 3
EPOCHS, RUNGS = 60, 6
SPACE: dict[str, BaseDistribution] = {
    "lr": FloatDistribution(1e-4, 0.3, log=True),
    "scheduler": CategoricalDistribution(["constant", "lambda"]),
    "lambda.decay": FloatDistribution(0.8, 0.999),
    "patience": IntDistribution(1, 10),
}
ATTRIBUTES = {
    "train_curve": [1.0 / epoch for epoch in range(1, EPOCHS + 1)],
    "lr_curve": [0.05 * 0.95**epoch for epoch in range(EPOCHS)],
    "before_training": 30.5,
    "engine": "batched",
    "train_seconds": 1.25,
}


def new_study(storage: BaseStorage) -> optuna.Study:
    """A study that samples at random, so that sampling costs next to nothing."""
    name = f"benchmark_{random.SystemRandom().randrange(10**9)}"
    return optuna.create_study(study_name=name, storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))


def write_in_bulk(study: optuna.Study, storage: BaseStorage, trials: int) -> None:
    """As a batched engine does it: claim all, choose, a flush per rung, and the end."""
    store = trial_store(study, storage, say=print)
    ids = [claim.trial_id for claim in store.claim(trials, len(study.trials) + trials, Worker.this().as_dict())]
    values = {"lr": 0.01, "scheduler": "lambda", "lambda.decay": 0.95, "patience": 3}
    store.choose(dict.fromkeys(ids, Chosen(values, SPACE)))
    step = EPOCHS // RUNGS
    for first in range(1, EPOCHS + 1, step):
        store.record({i: {epoch: 1.0 / epoch for epoch in range(first, first + step)} for i in ids})
    store.finish([TrialEnd(i, TrialState.COMPLETE, 0.5, ATTRIBUTES) for i in ids])


def ask_report_tell(study: optuna.Study, storage: BaseStorage, trials: int) -> None:
    """As Optuna's documentation does it."""
    for _ in range(trials):
        trial = study.ask(SPACE)
        for epoch in range(1, EPOCHS + 1):
            trial.report(1.0 / epoch, epoch)
        for key, value in ATTRIBUTES.items():
            trial.set_user_attr(key, value)
        study.tell(trial, 0.5)


def rate(write: Callable[[optuna.Study, BaseStorage, int], None], storage: BaseStorage, trials: int) -> float:
    """Trials per second into a study that holds as many trials as a generation already."""
    study = new_study(storage)
    write_in_bulk(study, storage, TRIALS)
    began = time.perf_counter()
    write(study, storage, trials)
    seconds = time.perf_counter() - began
    assert all(len(trial.intermediate_values) == EPOCHS for trial in study.trials)
    optuna.delete_study(study_name=study.study_name, storage=storage)
    return trials / seconds


def row(label: str, peer: BaseStorage, ours: BaseStorage) -> str:
    """A line of the table: medians over the rounds, and the ratio with its range."""
    slow, fast = [], []
    for _ in range(ROUNDS):
        slow.append(rate(ask_report_tell, peer, PEER_TRIALS))
        fast.append(rate(write_in_bulk, ours, TRIALS))
    ratios = sorted(mine / other for mine, other in zip(fast, slow, strict=True))
    median = statistics.median
    spread = f"{ratios[0]:.0f}-{ratios[-1]:.0f}"
    return f"| {label} | {median(slow):.1f} | {median(fast):.0f} | {median(ratios):.0f} | {spread} |"


def main() -> None:
    """Print a markdown table."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print("| database | ask/report/tell, trials/s | in bulk, trials/s | ratio | range |\n|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for url in sys.argv[1:] or [f"sqlite:///{folder}/ours.db"]:
            ours = open_storage(url, create=True)
            kind = parse(url).get_backend_name()
            if kind == "sqlite":
                # Optuna with its own settings on a file of its own, and then with ours.
                plain = optuna.storages.get_storage(RDBStorage(f"sqlite:///{folder}/plain.db"))
                print(row("sqlite, Optuna's settings", plain, ours), flush=True)
                close(plain)
            print(row(f"{kind}, our settings", ours, ours), flush=True)
            close(ours)


def close(storage: BaseStorage) -> None:
    """Close its connections."""
    storage.remove_session()
    engine = engine_of(storage)
    assert engine is not None
    engine.dispose()


if __name__ == "__main__":
    main()
