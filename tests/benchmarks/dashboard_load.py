"""Does the dashboard keep up with eight people while a worker writes, and does the worker notice? Run it by hand.

    python tests/benchmarks/dashboard_load.py [URL ...]

Each URL names a database in which a study may be created; it is deleted afterwards. Without any it is an SQLite file in
a temporary folder. The study has 2,000 trials of 60 epochs when it begins; a worker goes on with it, alone and beside
the clients in turn, so that what else the machine does hits both.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from bulk_writing import close
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage, parse
from lrsearch.storage.store import Chosen, TrialEnd
from lrsearch.study import control
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.load import parse as parse_study

CLIENTS, TRIALS, EPOCHS = 8, 2000, 60
PAUSE = 1.0
"""Seconds between two polls of a client; a page of optuna-dashboard polls every ten."""
SECONDS, ROUNDS = 20.0, 3
LRSEARCH = [sys.executable, "-m", "lrsearch"]


def filled(storage: BaseStorage) -> StoredStudy:
    """A study with its first trials done, and enough left for the worker."""
    document = {
        "study": {"name": f"load_{random.SystemRandom().randrange(10**9)}", "trials": 50 * TRIALS},
        "task": {"name": "polynomial"},
        "training": {"epochs": EPOCHS},
        "search": {"lr": 0.01, "schedulers": ["constant"]},
        "sampler": {"name": "random"},
        "pruner": {"name": "none"},
    }
    definition = parse_study(document, "benchmark")
    stored = studies.create(storage, definition, opening.build_task(definition).metric_name)
    store = trial_store(stored.study, storage, say=print)
    claims = store.claim(TRIALS, TRIALS, Worker.this().as_dict())
    space = {"lr": FloatDistribution(0.01, 0.01), "scheduler": CategoricalDistribution(["constant"])}
    chosen = Chosen({"lr": 0.01, "scheduler": "constant"}, space)
    curve = {epoch: 10.0 + 1.0 / epoch for epoch in range(1, EPOCHS + 1)}
    kept = {"train_curve": list(curve.values()), "lr_curve": [0.01] * EPOCHS}
    for first in range(0, TRIALS, 250):
        ids = [claim.trial_id for claim in claims[first : first + 250]]
        store.choose(dict.fromkeys(ids, chosen))
        store.record(dict.fromkeys(ids, curve))
        store.finish([TrialEnd(i, TrialState.COMPLETE, 10.0, kept) for i in ids])
    return stored


class Clients:
    """Poll the API as open pages do, and note how long each answer took."""

    def __init__(self, page: str, study_id: int) -> None:
        self.paths = (f"{page}api/studies", f"{page}api/studies/{study_id}?after={TRIALS}")
        self.seconds: list[float] = []
        self.errors: list[str] = []

    @contextmanager
    def polling(self) -> Iterator[None]:
        ended = threading.Event()
        threads = [threading.Thread(target=self._poll, args=(ended,)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        yield
        ended.set()
        for thread in threads:
            thread.join()

    def _poll(self, ended: threading.Event) -> None:
        while not ended.wait(PAUSE * random.random() * 2):
            for path in self.paths:
                began = time.perf_counter()
                try:
                    with urllib.request.urlopen(path, timeout=60) as answer:
                        assert answer.read().startswith(b"{")
                except OSError as error:
                    self.errors.append(str(error))
                self.seconds.append(time.perf_counter() - began)


@contextmanager
def running(url: str, *arguments: str) -> Iterator[str]:
    """A process of ours, and where it answers."""
    process = subprocess.Popen([*LRSEARCH, *arguments], env={**os.environ, "LRSEARCH_STORAGE": url}, text=True,
                               stderr=subprocess.PIPE)  # fmt: skip
    assert process.stderr is not None
    try:
        found = None
        while found is None:
            found = re.search(r"http://[^/]+/", process.stderr.readline())
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield found[0]
    finally:
        process.terminate()
        process.wait(30)


def epochs(worker: str) -> float:
    with urllib.request.urlopen(f"{worker}metrics", timeout=60) as answer:
        return float(re.search(r"^lrsearch_epochs_total (\S+)", answer.read().decode(), flags=re.M)[1])  # type: ignore[index]


def rate(worker: str) -> float:
    """Epochs that the worker trains in a second."""
    before, began = epochs(worker), time.perf_counter()
    time.sleep(SECONDS)
    return (epochs(worker) - before) / (time.perf_counter() - began)


def row(url: str) -> str:
    storage = open_storage(url, create=True)
    stored = filled(storage)
    worker_options = ["worker", "--study", stored.name, "--engine", "sequential", "--metrics-port", "0"]
    alone, beside = [], []
    with running(url, "dashboard", "--port", "0") as page, running(url, *worker_options) as worker:
        clients = Clients(page, stored.study._study_id)
        with clients.polling():
            time.sleep(SECONDS)  # the first look at a study reads all its trials
        clients.seconds.clear()
        for _ in range(ROUNDS):
            alone.append(rate(worker))
            with clients.polling():
                beside.append(rate(worker))
    control.delete(stored)
    close(storage)
    kept = statistics.median(b / a for a, b in zip(alone, beside, strict=True))
    p95 = statistics.quantiles(clients.seconds, n=20)[-1]
    return (
        f"| {parse(url).get_backend_name()} | {len(clients.seconds)} | {len(clients.errors)} "
        f"| {1000 * statistics.median(clients.seconds):.0f} | {1000 * p95:.0f} | {statistics.median(alone):.0f} "
        f"| {statistics.median(beside):.0f} | {100 * kept:.0f} % |"
    )


def main() -> None:
    """Print a markdown table."""
    print("| database | requests | errors | median, ms | p95, ms | epochs/s alone | beside clients | kept |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for url in sys.argv[1:] or [f"sqlite:///{folder}/load.db"]:
            print(row(url), flush=True)


if __name__ == "__main__":
    main()
