"""Is the page of a large study usable in a browser, and what does it take? Run it by hand.

    python tests/benchmarks/dashboard_page.py [--trials 10000] [--epochs 60] [--pruned 0.6] [--database FILE]

A study with curves is written into an SQLite file, `lrsearch dashboard` shows it, and Chromium opens its page. The page
counts as usable when its plots hold the trials and a script has been answered promptly four times running.
CPU seconds are told beside those by the clock, because they hold on a busy machine, too: a page that needs eight of
them is ready within eight seconds where a core is free. Memory is that of the browser's largest process, at its peak.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from bulk_writing import close
from dashboard_load import running
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState
from selenium import webdriver

from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import Chosen, TrialEnd
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study_file.load import parse as parse_study

sys.path.append(str(Path(__file__).parent.parent))
from chromium import started  # the browser of the tests

PATIENCE = 300.0
"""Seconds after which a page is given up."""
PROMPT, TIMES = 0.5, 4
"""A script is answered in so many seconds, so many times running, where a page can be used."""
READY = """
const plots = [...document.querySelectorAll('.js-plotly-plot')];
const filled = plots.filter(plot => (plot.data || []).some(line => (line.x || line.dimensions || []).length));
return document.body.innerText.includes(arguments[0]) && filled.length === plots.length && filled.length > 0;
"""
NAME = "page"
"""Of the study; its page says it once the trials are there."""
TYPES = ("constant", "lambda", "exponential", "cosine")


@dataclass
class Needed:
    """What opening a page took."""

    seconds: float
    cpu: float
    largest: float
    answer: float

    def row(self, name: str) -> str:
        return (
            f"| {name} | {self.answer / 1e6:.1f} MB | {self.seconds:.1f} s | {self.cpu:.1f} s "
            f"| {self.largest / 2**20:.0f} MiB |"
        )


def filled(url: str, trials: int, epochs: int, pruned: float) -> int:
    """A study whose trials all have curves, `pruned` of them of an eighth of the epochs; gives its id."""
    document = {
        "study": {"name": NAME, "trials": trials},
        "task": {"name": "polynomial"},
        "training": {"epochs": epochs},
        "search": {"schedulers": list(TYPES)},
        "confirm": {"top": 0},
    }
    definition = parse_study(document, "benchmark")
    storage = open_storage(url, create=True)
    stored = studies.create(storage, definition, opening.build_task(definition).metric_name)
    store = trial_store(stored.study, storage, say=print)
    rng = np.random.default_rng(0)
    space = {"lr": FloatDistribution(1e-4, 0.3, log=True), "scheduler": CategoricalDistribution(list(TYPES))}
    for first in range(0, trials, 500):
        claims = store.claim(min(500, trials - first), trials, Worker.this().as_dict())
        ends = []
        rates = np.exp(rng.uniform(np.log(1e-4), np.log(0.3), len(claims)))
        store.choose(
            {claim.trial_id: Chosen({"lr": float(lr), "scheduler": TYPES[claim.number % len(TYPES)]}, space)
             for claim, lr in zip(claims, rates, strict=True)}
        )  # fmt: skip
        curves = {}
        for claim, lr in zip(claims, rates, strict=True):
            last = max(1, epochs // 8) if rng.random() < pruned else epochs
            steps = np.arange(1, last + 1)
            curve = 12 + 25 * np.exp(-steps * lr * 4) + rng.gamma(2.0, 1.0, last) + 40 * lr
            curves[claim.trial_id] = {int(step): float(value) for step, value in zip(steps, curve, strict=True)}
            kept = {"train_curve": (curve * 0.9).tolist(), "lr_curve": [float(lr)] * last}
            state = TrialState.COMPLETE if last == epochs else TrialState.PRUNED
            ends.append(TrialEnd(claim.trial_id, state, float(curve[-1]), kept))
        store.record(curves)
        store.finish(ends)
    study_id = stored.study._study_id
    close(storage)
    return study_id


class Watch:
    """Follows the processes of a browser: their CPU seconds, and the memory of the largest one."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self._root = psutil.Process(browser.service.process.pid)
        self.largest = 0.0
        self._ended = threading.Event()
        self._cpu: dict[int, float] = {}

    def look(self) -> float:
        """CPU seconds so far, of processes that have ended, too."""
        for process in self._root.children(recursive=True):
            try:
                times = process.cpu_times()
                self._cpu[process.pid] = times.user + times.system
                self.largest = max(self.largest, process.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
        return sum(self._cpu.values())

    @contextmanager
    def looking(self) -> Iterator[None]:
        thread = threading.Thread(target=self._follow)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(0.1):
            self.look()


def opened(page: str, study_id: int, path: str, folder: Path, picture: Path | None) -> Needed:
    """Open a page of a study in a fresh browser, and wait until it can be used."""
    with urllib.request.urlopen(f"{page}api/studies/{study_id}", timeout=PATIENCE) as answer:
        size = len(answer.read())
    with started(folder) as browser:
        browser.set_script_timeout(PATIENCE)
        browser.set_page_load_timeout(PATIENCE)
        watch = Watch(browser)
        before, began = watch.look(), time.perf_counter()
        with watch.looking():
            browser.get(f"{page}dashboard/studies/{study_id}{path}")
            _wait_until_usable(browser)
            needed = Needed(time.perf_counter() - began, watch.look() - before, watch.largest, size)
        if picture is not None:
            browser.save_screenshot(str(picture))
    return needed


def _wait_until_usable(browser: webdriver.Chrome) -> None:
    ends, prompt = time.perf_counter() + PATIENCE, 0
    while prompt < TIMES:
        asked = time.perf_counter()
        if asked > ends:
            raise SystemExit(f"not usable after {PATIENCE:g} s")
        drawn = browser.execute_script(READY, NAME)
        prompt = prompt + 1 if drawn and time.perf_counter() - asked < PROMPT else 0
        time.sleep(PROMPT)


def main() -> None:
    """Print a markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--pruned", type=float, default=0.6, help="share of the trials")
    parser.add_argument("--database", type=Path, help="keep the study here, or open the one that is there")
    parser.add_argument("--pictures", type=Path, help="folder for what the browser shows")
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)  # the browser's driver makes none, and says nothing
    with tempfile.TemporaryDirectory() as temporary:
        file = options.database or Path(temporary) / "page.db"
        url, study_id = f"sqlite:///{file}", 1
        if not file.exists():
            study_id = filled(url, options.trials, options.epochs, options.pruned)
        print("| page | answer of the API | usable after | CPU seconds | memory |")
        print("|---|---:|---:|---:|---:|")
        with running(url, "dashboard", "--port", "0") as page:
            for number, (name, path) in enumerate({"history": "", "analytics": "/analytics"}.items()):
                picture = options.pictures / f"{name}.png" if options.pictures else None
                needed = opened(page, study_id, path, Path(temporary) / str(number), picture)
                print(needed.row(name), flush=True)


if __name__ == "__main__":
    main()
