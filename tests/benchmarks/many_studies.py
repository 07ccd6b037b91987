"""What a storage with a thousand studies costs: to list them, and to watch them while nothing happens. Run it by hand.

    python tests/benchmarks/many_studies.py [--studies 1000] [--trials 24] [--database FILE]

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
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from bulk_writing import close
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from lrsearch.dashboard import publisher
from lrsearch.dashboard.artifacts import ArtifactFolder
from lrsearch.errors import InterruptedRunError
from lrsearch.signals import Interruption
from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import Chosen, TrialEnd
from lrsearch.study import stored as studies
from lrsearch.study_file.load import parse

LRSEARCH = [sys.executable, "-m", "lrsearch"]
ROUNDS = 3
SETTLE, WATCH = 40.0, 40.0
"""Seconds until a worker has looked at all studies, and for which it is then watched."""


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


def publishing(url: str, folder: Path) -> str:
    """The share of a core that the publisher takes while nothing happens."""
    publisher.publish = lambda *_: False  # type: ignore[assignment]  # every study is published as it is
    storage = open_storage(url)
    with Interruption().caught() as interruption:
        watching = publisher.Publisher(storage, ArtifactFolder(folder), interruption, print)
        watching.look()
        threading.Timer(WATCH, lambda: os.kill(os.getpid(), 15)).start()
        cpu, began = time.process_time(), time.monotonic()
        try:
            watching.run()
        except InterruptedRunError:
            share = (time.process_time() - cpu) / (time.monotonic() - began)
    close(storage)
    return f"| publisher, idle | {share:.1%} of a core |"


def working(url: str) -> str:
    """The share of a core that a worker takes while there is nothing to train."""
    process = subprocess.Popen(
        [*LRSEARCH, "worker"], env={**os.environ, "LRSEARCH_STORAGE": url}, stderr=subprocess.DEVNULL
    )
    try:
        watched = psutil.Process(process.pid)
        time.sleep(SETTLE)
        before, began = watched.cpu_times(), time.monotonic()
        time.sleep(WATCH)
        after = watched.cpu_times()
        share = (after.user + after.system - before.user - before.system) / (time.monotonic() - began)
    finally:
        process.terminate()
        process.wait(60)
    return f"| worker, idle | {share:.1%} of a core |"


def main() -> None:
    """Print a markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--database", type=Path, help="keep the studies here, or look at those that are there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        file = options.database or Path(temporary) / "studies.db"
        if not file.exists():
            filled(f"sqlite:///{file}", options.studies, options.trials)
        print("| what | CPU |\n|---|---:|", flush=True)
        print(listing(f"sqlite:///{file}"), flush=True)
        print(working(f"sqlite:///{file}"), flush=True)
        print(publishing(f"sqlite:///{file}", Path(temporary) / "artifacts"), flush=True)


if __name__ == "__main__":
    main()
