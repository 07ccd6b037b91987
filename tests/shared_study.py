"""A study that several processes work on, and what must hold of it afterwards, whatever happened to them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from databases import close, counts_of, trials_of
from forgotten import forgotten
from optuna.trial import FrozenTrial, TrialState

import lrsearch
from lrsearch.storage.attributes import RETRIED, RETRY_OF

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
    assert (counts.complete + counts.pruned, counts.failed, counts.running, counts.waiting) == (budget, 0, 0, 0), counts
    trials = trials_of(url, "shared")
    done = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    wrong = [*_wrong_numbers(trials), *_wrong_retries(trials), *_done_twice(done)]
    wrong += [f"trial {trial.number} ({trial.state.name}): {fault}" for trial in done for fault in _wrong_curve(trial)]
    if budget >= 20 and not any("audit_curve" in trial.user_attrs for trial in done):
        wrong.append(f"none of {counts.pruned} pruned trials was audited")
    assert not wrong, "\n".join(wrong)


def _wrong_numbers(trials: list[FrozenTrial]) -> Iterator[str]:
    for place, trial in enumerate(trials):
        if trial.number != place:
            yield f"trial {trial.number} is the one at place {place}"


def _wrong_retries(trials: list[FrozenTrial]) -> Iterator[str]:
    """Each lost trial has exactly one successor, with the same settings if it had any."""
    lost = {trial.number: trial for trial in trials if trial.state == TrialState.FAIL}
    again = [trial for trial in trials if RETRY_OF in trial.user_attrs]
    successors = Counter(trial.user_attrs[RETRY_OF] for trial in again)
    for number, trial in lost.items():
        if RETRIED not in trial.user_attrs or successors[number] != 1:
            yield f"trial {number} failed and has {successors[number]} successors: {trial.user_attrs}"
    for trial in again:
        former = trial.user_attrs[RETRY_OF]
        if former not in lost:
            yield f"trial {trial.number} is to replace trial {former}, which is not lost"
        elif not lost[former].params.items() <= trial.params.items():
            yield f"trial {trial.number} has {trial.params} instead of trial {former}'s {lost[former].params}"


def _done_twice(done: list[FrozenTrial]) -> Iterator[str]:
    alike: dict[tuple[object, ...], list[int]] = {}
    for trial in done:
        alike.setdefault(settings_of(trial), []).append(trial.number)
    for settings, numbers in alike.items():
        if len(numbers) > 1:
            yield f"trials {numbers} have the same settings {settings}"


def _wrong_curve(trial: FrozenTrial) -> Iterator[str]:
    steps, stored = sorted(trial.intermediate_values), trial.user_attrs
    last = len(stored["train_curve"])
    if steps != list(range(1, last + 1)):
        yield f"has values at epochs {steps}, and a train curve of {last}"
    ends = (1, 3, 6) if trial.state == TrialState.PRUNED else (stored.get("diverged_at", EPOCHS),)
    if last not in ends:
        yield f"ends at epoch {last}, not at {ends}"
    if "audit_curve" not in stored:
        return
    audited, end = len(stored["audit_curve"]), stored.get("audit_diverged_at", EPOCHS)
    if trial.state != TrialState.PRUNED or len(steps) + audited != end:
        yield f"was audited for {audited} epochs after {len(steps)}, not up to {end}"


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Look until something is so, as long as a process lives that is to bring it about."""
    deadline = time.monotonic() + 300
    while not reached():
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)  # looking all the time would take a core from those who are looked at
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
