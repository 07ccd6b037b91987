"""Confirm a study of another tool by a command: it is run with finalists and fresh seeds."""

from __future__ import annotations

import json
import logging
import math
import shlex
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lrsearch.errors import input_error
from lrsearch.operations import confirm_objective
from lrsearch.operations.confirm_objective import Wanted
from lrsearch.sampling.space import SEED
from lrsearch.signals import Interruption
from lrsearch.study import command_output
from lrsearch.study.evidence import Evidence
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file import command as commands
from lrsearch.training.command_curve import Said, Tail, said, said_in_json
from lrsearch.training.command_process import CommandProcess, RunFailedError

if TYPE_CHECKING:
    from optuna.trial import Trial

Read = Callable[[str, str], Said | None]
LOOK = 0.05
"""Seconds between two looks at what a run has said."""
ALWAYS = (SEED, "trial", "settings", "curve")
"""Placeholders besides the parameters of the study."""
logger = logging.getLogger(__name__)


def confirm(stored: StoredStudy, run: str, wanted: Wanted, jobs: int) -> Evidence:
    """Run what a study's confirmation lacks.

    Args:
        stored: The study; lrsearch did not create it.
        run: The command line; what stands in braces is filled in: parameters of the study, ``seed`` and so on.
        wanted: What a person wants.
        jobs: Runs at the same time.

    Raises:
        InputError: The command cannot be run, or the study not be confirmed in this way.
        InterruptedRunError: A signal came; the runs under way wait to be run again.
    """
    _check(stored, run)
    folder = command_output.folder(stored) / "confirm"
    logger.info("The output of each run is kept in %s.", folder)
    objective = CommandObjective(run, folder, stored.metric)
    with Interruption().caught() as interruption:
        try:
            with interruption.open():
                return confirm_objective.confirm(objective, stored, wanted, jobs)
        finally:
            objective.end()


def _check(stored: StoredStudy, run: str) -> None:
    if stored.definition is not None:
        rule = f"study {stored.name} was created by lrsearch, which knows how to train it: leave the option out"
        raise input_error("command line", rule, key="--command")
    params = sorted({name for trial in stored.trials() for name in trial.params})
    if (wrong := commands.fault(run, [*params, *ALWAYS])) is not None:
        raise input_error("command line", wrong, key="--command", received=f'"{run}"')


class CommandObjective:
    """An objective that runs a command, reports its curve, and returns the last value that it said.

    Args:
        run: The command line.
        folder: For the files of its runs.
        metric: What a line of output may call the value, besides ``test``.
    """

    def __init__(self, run: str, folder: Path, metric: str) -> None:
        self._words, self._folder, self._metric = shlex.split(run), folder, metric
        self._running: set[CommandProcess] = set()
        self._lock, self._over = threading.Lock(), False
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, trial: Trial) -> float:
        """One run; `lrsearch.confirm` calls it in a thread.

        Raises:
            RunFailedError: It ended badly, or without a value.
        """
        process, tail, read = self._begun(trial)
        value = math.nan
        try:
            while True:
                code = process.exit_code()
                for line in tail.lines(ended=code is not None):
                    if (found := read(line, self._metric)) is not None:
                        value = found.value
                        if found.epoch is not None:
                            trial.report(value, found.epoch)
                if code is not None:
                    break
                time.sleep(LOOK)
        finally:
            process.end()
            self._running.discard(process)
        process.check(code)
        if math.isnan(value):
            raise RunFailedError(process.told("ended without a value: it must print lines such as test=0.12"))
        return value

    def end(self) -> None:
        """End all runs; none begins any more."""
        with self._lock:
            self._over = True
        for process in list(self._running):
            process.end()

    def _begun(self, trial: Trial) -> tuple[CommandProcess, Tail, Read]:
        params = {name: value for name, value in trial.params.items() if name != SEED}
        seed = trial.params[SEED]
        files = self._folder / f"trial-{trial.number}-seed-{seed}"
        settings, curve, output = (files.with_name(files.name + end) for end in (".json", ".curve.jsonl", ".txt"))
        known = {"trial": trial.number, "seed": seed, "params": params}
        settings.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        curve.unlink(missing_ok=True)
        values = {name: str(value) for name, value in params.items()}
        values |= {SEED: str(seed), "trial": str(trial.number), "settings": str(settings), "curve": str(curve)}
        words = [commands.filled(word, values) for word in self._words]
        with self._lock:
            if self._over:
                raise RunFailedError("the confirmation was ended")
            process = CommandProcess(words, output, {"LRSEARCH_SETTINGS": str(settings)})
            self._running.add(process)
        by_file = any("curve" in commands.placeholders(word) for word in self._words)
        return process, *((Tail(curve), said_in_json) if by_file else (Tail(output), said))
