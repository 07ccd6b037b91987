"""What a storage with a thousand studies costs: to list them, and to watch them while nothing happens. Run it by hand.

    python tests/benchmarks/many_studies.py [--studies 1000] [--trials 24] [--database FILE] [--watch SECONDS]

CPU seconds are measured, because they hold on a busy machine, too. Studies are finished and count as published; the
first publication of each costs what its report costs, once.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
from bulk_writing import close
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from lrsearch.dashboard.published import PUBLISHED
from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import Chosen, TrialEnd
from lrsearch.study import status
from lrsearch.study import stored as studies
from lrsearch.study_file.load import parse

LRSEARCH = [sys.executable, "-m", "lrsearch"]
ROUNDS = 3
STEP, SETTLED, LEAST, PATIENCE = 10.0, 0.1, 30.0, 900.0
"""A service has looked at all studies when in so many seconds it takes less than such a share of a core, after so many
seconds at least and so many at most."""


def filled(url: str, number: int, trials: int) -> None:
    """So many finished studies."""
    storage = open_storage(url, create=True)
    space = {"lr": FloatDistribution(1e-4, 0.3, log=True), "scheduler": CategoricalDistribution(["constant"])}
    rng = np.random.default_rng(0)
    for index in range(number):
        document = {
            "study": {"name": f"study_{index:04d}", "trials": trials},
            "task": {"name": "polynomial"},
            "training": {"epochs": 20},
            "search": {"schedulers": ["constant"]},
            "confirm": {"top": 0},
        }
        stored = studies.create(storage, parse(document, "benchmark"), "mse")
        store = trial_store(stored.study, storage, say=print)
        ids = [claim.trial_id for claim in store.claim(trials, trials, Worker.this().as_dict())]
        rates = np.exp(rng.uniform(np.log(1e-4), np.log(0.3), trials)).tolist()
        chosen = {own: Chosen({"lr": lr, "scheduler": "constant"}, space) for own, lr in zip(ids, rates, strict=True)}
        store.choose(chosen)
        curve = {step: 10.0 + 1.0 / step for step in range(1, 21)}
        store.record(dict.fromkeys(ids, curve))
        store.finish([TrialEnd(own, TrialState.COMPLETE, float(rng.uniform(9, 20)), {}) for own in ids])
    close(storage)


def listing(url: str) -> str:
    """CPU seconds of `study list`, start-up included, and rows that it printed."""
    seconds = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [*LRSEARCH, "study", "list"], env={**os.environ, "LRSEARCH_STORAGE": url},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    rows = sum(line.startswith("study_") for line in done.stdout.splitlines())
    return (
        f"| study list, {rows} rows | {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}) |"
    )


def publish_all(url: str) -> None:
    """Let every study count as published: the first publication of each costs what its report costs, once."""
    storage = open_storage(url)
    for name in studies.names(storage):
        stored = studies.load(storage, name)
        state = [asdict(status.count(stored)), sorted(stored.excluded()), None, {"published": "as it is"}]
        storage.set_study_system_attr(stored.study._study_id, PUBLISHED, {"state": state, "files": {}})
    close(storage)


def serving(url: str, seconds: float) -> Iterator[str]:
    """The share of a core that a whole service takes while nothing happens, its worker and dashboard included."""
    process = subprocess.Popen(
        [*LRSEARCH, "serve", "--port", "0", "--workers", "1"],
        env={**os.environ, "LRSEARCH_STORAGE": url}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        before, waited = _cpu_of(process.pid), 0.0
        while waited < PATIENCE:
            time.sleep(STEP)
            waited += STEP
            now = _cpu_of(process.pid)
            if sum(now.values()) - sum(before.values()) < SETTLED * STEP and waited > LEAST:
                break
            before = now
        yield f"| serve, until it has looked at all studies | {sum(now.values()):.1f} s |"
        before, began = _cpu_of(process.pid), time.monotonic()
        time.sleep(seconds)
        after, watched = _cpu_of(process.pid), time.monotonic() - began
    finally:
        process.terminate()
        process.wait(60)
    for name, spent in after.items():
        yield f"| serve, idle: {name} | {(spent - before.get(name, 0.0)) / watched:.2%} of a core |"
    yield f"| serve, idle: all | {(sum(after.values()) - sum(before.values())) / watched:.2%} of a core |"


def _cpu_of(pid: int) -> dict[str, float]:
    """CPU seconds so far of a service and each process below it, by what it is."""
    found: dict[str, float] = {}
    for own in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            words, times = own.cmdline(), own.cpu_times()
        except psutil.NoSuchProcess:
            continue
        kind = next((word for word in ("--as-publisher", "dashboard", "worker", "serve") if word in words), "others")
        found[kind] = found.get(kind, 0.0) + times.user + times.system
    return found


def main() -> None:
    """Print a markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--watch", type=float, default=120.0, help="seconds for which an idle service is watched")
    parser.add_argument("--database", type=Path, help="keep the studies here, or look at those that are there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        file = options.database or Path(temporary) / "studies.db"
        if not file.exists():
            filled(f"sqlite:///{file}", options.studies, options.trials)
        print("| what | CPU |\n|---|---:|", flush=True)
        print(listing(f"sqlite:///{file}"), flush=True)
        publish_all(f"sqlite:///{file}")
        for row in serving(f"sqlite:///{file}", options.watch):
            print(row, flush=True)


if __name__ == "__main__":
    main()
