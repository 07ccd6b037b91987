"""A study that several processes work on, and what must hold of it afterwards, whatever happened to them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from databases import close, counts_of, trials_of
from forgotten import forgotten
from optuna.trial import FrozenTrial, TrialState

import lrsearch
from lrsearch.storage.attributes import RETRY_OF

EPOCHS = 12
STUDY = """
[study]
name = "shared"
trials = {trials}
{load}
[task]
name = "{task}"
{options}
[training]
epochs = 12
batch_size = 20
[search]
schedulers = ["constant", "lambda"]
[sampler]
name = "random"
generation = 256
[pruner]
name = "halving"
audit = 0.3
[confirm]
top = 0
"""


def start(
    url: str, *arguments: str, folder: Path, engine: str = "sequential", study: str = "shared"
) -> subprocess.Popen[str]:
    """A worker, or what starts some, in a process of its own; the URL is not on its command line."""
    command = [sys.executable, "-m", "lrsearch", "study", "run", study, "--quiet", "--grace", "6"]
    return subprocess.Popen(
        [*command, "--engine", engine, *arguments],
        env={**os.environ, "LRSEARCH_STORAGE": url}, cwd=folder, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def create(
    url: str, folder: Path, trials: int, rows: int = 40, task: str = "polynomial", options: str = "", load: str = ""
) -> None:
    """The study, in its storage, from this process, which knows nothing afterwards of the code that it brings."""
    file = folder / "shared.toml"
    file.write_text(STUDY.format(trials=trials, task=task, options=options or f"rows = {rows}", load=load))
    with forgotten(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tasks that are as small as can be
        close(lrsearch.create_study(file, storage=url).storage)


def settings_of(trial: FrozenTrial) -> tuple[object, ...]:
    return tuple(sorted(trial.params.items()))


def assert_handed_back(url: str) -> None:
    """Nothing runs and nothing failed; what waits had been begun by a worker that was told to end."""
    counts = counts_of(url, "shared")
    assert (counts.running, counts.failed) == (0, 0)
    trials = trials_of(url, "shared")
    again = [trial for trial in trials if RETRY_OF in trial.user_attrs]
    assert len(again) == counts.retried
    # What was handed back may have been taken, and handed back, by a second worker that was told to end later.
    waiting = [trial for trial in trials if trial.state == TrialState.WAITING]
    assert waiting
    assert all(trial in again for trial in waiting)


def assert_nothing_lost(url: str, budget: int) -> None:
    """The budget is met exactly, nobody is left running, no settings are lost or done twice, curves are whole.

    A pruned trial that was audited has been so to its end, and its own curve ends at its rung like any other's.
    """
    counts = counts_of(url, "shared")
    assert (counts.complete + counts.pruned, counts.failed, counts.running, counts.waiting) == (budget, 0, 0, 0)
    trials = trials_of(url, "shared")
    assert [trial.number for trial in trials] == list(range(len(trials)))
    done = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    retried = [trial for trial in trials if trial.state == TrialState.FAIL]
    assert all("retried" in trial.user_attrs for trial in retried)
    # Each lost trial has exactly one successor, with the same settings if it had any.
    successors = Counter(t.user_attrs["retry_of"] for t in trials if "retry_of" in t.user_attrs)
    assert successors == Counter(trial.number for trial in retried)
    for trial in trials:
        if "retry_of" in trial.user_attrs and (former := trials[trial.user_attrs["retry_of"]]).params:
            assert former.params.items() <= trial.params.items()
    assert max(Counter(map(settings_of, done)).values()) == 1
    for trial in done:
        last = len(trial.user_attrs["train_curve"])
        assert sorted(trial.intermediate_values) == list(range(1, last + 1))
        ends = (1, 3, 6) if trial.state == TrialState.PRUNED else (trial.user_attrs.get("diverged_at", EPOCHS),)
        assert last in ends
    audited = [trial for trial in done if "audit_curve" in trial.user_attrs]
    assert audited or budget < 20, "so many trials have some that are audited"
    for trial in audited:
        assert trial.state == TrialState.PRUNED
        assert len(trial.intermediate_values) + len(trial.user_attrs["audit_curve"]) == EPOCHS


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Look until something is so, as long as a process lives that is to bring it about."""
    deadline = time.monotonic() + 300
    while not reached():
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)  # looking all the time would take a core from those who are looked at
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
