"""The engine that trains nothing itself: a run of a command is a lane, and its curve is read while it runs."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.command_task import CommandTask
from lrsearch.tasks.task import Task
from lrsearch.training.batches import updates_per_epoch
from lrsearch.training.command_curve import Said, Tail, said, said_in_json
from lrsearch.training.command_process import CommandProcess, RunFailedError
from lrsearch.training.early_stopping import LaneStops
from lrsearch.training.engine import Lane, LaneRecords, LaneStream
from lrsearch.training.rates import LaneRates

SHORTEST_LOOK, LONGEST_LOOK = 0.01, 0.25
"""Seconds between two looks at what a run has said: they grow while it says nothing."""


class CommandEngine:
    """Runs a command once per lane; the lanes of a trial, one per seed, at the same time."""

    name = "command"
    together = False
    one_pass = False
    may_differ: Collection[str] = ()
    in_memory = True

    def __init__(self) -> None:
        self.device = torch.device("cpu")

    def train(
        self,
        task: Task,
        lanes: Sequence[Lane],
        training: TrainingSection,
        pauses: Collection[int] = (),
    ) -> LaneStream:
        """See `engine.Engine.train`. However the stream is closed, no process is left."""
        assert isinstance(task, CommandTask)
        runs: dict[int, CommandRun] = {}
        stopped: frozenset[int] = frozenset()
        began = time.perf_counter()
        try:
            for place, lane in enumerate(lanes):
                runs[place] = CommandRun(task, lane, training)
            stops = LaneStops(training, maximise=task.maximises)
            kept = yield _records(0, runs, [run.before() for run in runs.values()], 0.0)
            for epoch in range(1, training.epochs + 1):
                for place in [place for place in runs if place in stopped or (kept is not None and place not in kept)]:
                    runs.pop(place).end()
                if not runs:
                    return
                found = [run.after(epoch) for run in runs.values()]
                known = {place: own.value for place, own in zip(runs, found, strict=True) if own.is_known}
                stopped = stops.take(list(known), known.values())
                before, began = began, time.perf_counter()
                kept = yield replace(_records(epoch, runs, found, began - before), stopped=stopped)
        finally:
            for run in runs.values():
                run.end()


class CommandRun:
    """One run of the command.

    Args:
        task: What is run.
        lane: With which settings and seed.
        training: How many epochs.
    """

    def __init__(self, task: CommandTask, lane: Lane, training: TrainingSection) -> None:
        assert task.folder is not None
        task.folder.mkdir(parents=True, exist_ok=True)
        self._task, self._epochs = task, training.epochs
        self._rates = LaneRates(lane, training, updates_per_epoch(task, training))
        files = task.folder / f"trial-{lane.trial if lane.trial is not None else 'x'}-seed-{lane.seed}"
        settings, curve, output = (files.with_name(files.name + end) for end in (".json", ".curve.jsonl", ".txt"))
        settings.write_text(json.dumps(settings_of(task, lane, training), indent=1) + "\n", encoding="utf-8")
        curve.unlink(missing_ok=True)
        values = {
            "lr": repr(lane.lr), "schedule": lane.schedule.name, "seed": str(lane.seed), "trial": str(lane.trial),
            "epochs": str(training.epochs), "settings": str(settings), "curve": str(curve),
        }  # fmt: skip
        self._process = CommandProcess(task.command.filled(values), output, {"LRSEARCH_SETTINGS": str(settings)})
        by_file = "curve" in task.command.names
        self._tail, self._read = (Tail(curve), said_in_json) if by_file else (Tail(output), said)
        self._said: dict[int, Said] = {}
        self._over = False

    def end(self) -> None:
        """End the process, if it runs, and all that it has started."""
        self._process.end()

    def before(self) -> Said:
        """What it came to before training; as bad as can be where it does not say so."""
        self._wait(0)
        worst = -math.inf if self._task.maximises else math.inf
        return self._said.get(0, Said(0, worst))

    def after(self, epoch: int) -> Said:
        """What it came to after an epoch; not known if it said nothing of it.

        Args:
            epoch: The next one.

        Raises:
            RunFailedError: It ended badly, or without any value, or said what cannot be.
        """
        self._wait(epoch)
        found = self._said.get(epoch)
        if found is None and epoch == self._epochs and not any(self._said):
            raise RunFailedError(
                self._process.told("ended without a value: it must print lines such as epoch=3 test=0.12")
            )
        rate = self._rates.of_epoch(epoch - 1)[0]
        if found is None:
            return Said(epoch, math.nan, lr=rate, is_known=False)
        self._rates.evaluated(found.value)
        return found if math.isfinite(found.lr) else Said(epoch, found.value, found.train, rate)

    def _wait(self, epoch: int) -> None:
        """Until it has said something of this epoch or a later one, or has ended; after the last epoch it must end."""
        pause = SHORTEST_LOOK
        while not self._over and (max(self._said, default=-1) < max(epoch, 0) or epoch == self._epochs):
            if any(not math.isfinite(known.value) for number, known in self._said.items() if number):
                return  # diverged: nothing that may come would change that
            code = self._process.exit_code()
            self._take(ended=code is not None)
            if code is not None:
                self._over = True
                self._process.check(code)
            elif max(self._said, default=-1) < epoch or epoch == self._epochs:
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_LOOK)

    def _take(self, *, ended: bool) -> None:
        for line in self._tail.lines(ended=ended):
            found = self._read(line, self._task.command.metric)
            if found is None:
                continue
            epoch = self._epochs if found.epoch is None else found.epoch
            if epoch > self._epochs:
                raise RunFailedError(self._process.told(f"said epoch={epoch}, but the study has {self._epochs} epochs"))
            self._said[epoch] = found


def settings_of(task: CommandTask, lane: Lane, training: TrainingSection) -> dict[str, Any]:
    """Everything that a run may want to know, for JSON.

    Args:
        task: What is run.
        lane: Learning rate, schedule and seed.
        training: How many epochs.
    """
    schedule, command = lane.schedule, task.command
    known: dict[str, Any] = {
        "study": task.study, "trial": lane.trial, "seed": lane.seed, "epochs": training.epochs,
        "lr": lane.lr, "scheduler": schedule.name, "parameters": schedule.values(),
        "metric": command.metric, "direction": command.direction, "updates_per_epoch": command.updates_per_epoch,
    }  # fmt: skip
    if schedule.unit == "evaluation":
        rule = {"mode": "max" if task.maximises else "min", **schedule.values()}
        return {**known, "factors": None, "rule": rule}
    rates = LaneRates(lane, training, updates_per_epoch(task, training))
    by_epoch = [[rate / lane.lr for rate in rates.of_epoch(epoch)] for epoch in range(training.epochs)]
    updates = None if command.updates_per_epoch is None else [factor for epoch in by_epoch for factor in epoch]
    return {**known, "factors": {"epochs": [epoch[0] for epoch in by_epoch], "updates": updates}, "rule": None}


def _records(epoch: int, runs: Mapping[int, CommandRun], found: Sequence[Said], seconds: float) -> LaneRecords:
    # One seed that is lost ends the trial, whether the others have got as far or not.
    lost = [one.is_known and epoch > 0 and not math.isfinite(one.value) for one in found]
    return LaneRecords(
        epoch=epoch,
        lanes=tuple(runs),
        lr=np.array([one.lr for one in found]),
        train_metric=np.array([one.train for one in found]),
        test_metric=np.array([one.value for one in found]),
        diverged=np.array(lost),
        extra={},
        seconds=seconds,
        evaluated=all(one.is_known for one in found) or any(lost),
    )
