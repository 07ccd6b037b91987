"""Learning curves of random settings, trained once and kept, from which searches are replayed without training.

Serves `equal_epochs.py`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sampling import shares
from unseen_seeds import Curve, definition_of, train

from lrsearch.sampling.proposer import Uniform
from lrsearch.sampling.space import Settings, Space, settings_from
from lrsearch.study import open as opening
from lrsearch.study.linked import HOLDOUT
from lrsearch.study_file.model import Definition, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Lane, LaneRecords, LaneStream

Key = tuple[int, int]
"""Number of a setting in the bank, and the seed that it was trained on."""


class Bank:
    """Random settings of one task's search space, and the curve of each on some seeds.

    Args:
        task: Name of the task.
        file: Where the curves are kept; it may not be there yet.
        size: How many settings.
        definition: Training and search space, where they are not those of `unseen_seeds.definition_of`.
    """

    def __init__(self, task: str, file: Path, size: int, definition: Definition | None = None) -> None:
        self.definition = definition or definition_of(task)
        self.task = opening.build_task(self.definition)
        self.space = Space.of(self.definition)
        self.file = file
        self.params = [dict(self.space.settle({}, Uniform(1).point(number)).params) for number in range(size)]
        self.settings = [settings_from(params) for params in self.params]
        self._members = {
            kind: np.array([i for i, params in enumerate(self.params) if params["scheduler"] == kind])
            for kind in self.space.schedulers
        }
        self._points = {
            kind: np.array([shares(self.space, self.params[i]) for i in own]) for kind, own in self._members.items()
        }
        self._curves: dict[Key, Curve] = {}
        self._changed = False
        if file.exists():
            self._read()

    def __getitem__(self, key: Key) -> Curve:
        self.need([key])
        return self._curves[key]

    def need(self, keys: Iterable[Key]) -> None:
        """Train what is not there yet; `save` keeps it."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._curves]
        if missing:
            lanes = [(self.settings[number], seed) for number, seed in missing]
            self._curves.update(zip(missing, train(self.task, lanes, self.definition), strict=True))
            self._changed = True

    def nearest(self, params: Mapping[str, Any], unless: Collection[int] = ()) -> int:
        """The setting of the same scheduler type that is nearest to some parameters, on axes from 0 to 1.

        Args:
            params: Any point of the search space.
            unless: Settings that are taken already; one of them is given only where nothing else is left.
        """
        members = self._members[params["scheduler"]]
        distances = np.abs(self._points[params["scheduler"]] - np.array(shares(self.space, params))).sum(axis=1)
        order = members[np.argsort(distances, kind="stable")]
        return int(next((number for number in order if number not in unless), order[0]))

    def final(self, number: int, seeds: Sequence[int]) -> list[float]:
        """Test metric after the last epoch on each seed."""
        self.need((number, seed) for seed in seeds)
        return [self._curves[number, seed].final for seed in seeds]

    def save(self) -> None:
        """Write the file if there is anything new."""
        if not self._changed:
            return
        self._changed = False
        numbers, seeds = zip(*self._curves, strict=True)
        curves = self._curves.values()
        np.savez_compressed(
            self.file,
            params=json.dumps(self.params),
            numbers=numbers,
            seeds=seeds,
            test=np.array([curve.test for curve in curves], dtype=np.float32),
            holdout=[curve.holdout for curve in curves],
        )

    def _read(self) -> None:
        with np.load(self.file) as kept:
            if str(kept["params"]) != json.dumps(self.params):
                raise SystemExit(f"{self.file} holds other settings: name another file, or delete it")
            for number, seed, test, holdout in zip(
                *(kept[name] for name in ("numbers", "seeds", "test", "holdout")), strict=True
            ):
                self._curves[int(number), int(seed)] = Curve(test, float(holdout))


class ReplayEngine(BatchedEngine):
    """Takes curves from a bank instead of training; serves one search with its confirmation.

    Each trial gets the nearest setting that no other trial of the search has, and keeps it. So the bank stands for
    chance, too: two trials with nearly the same settings have different luck, as in training.

    Args:
        bank: The curves.
    """

    def __init__(self, bank: Bank) -> None:
        super().__init__()
        self.bank = bank
        self.epochs = 0
        self._number: dict[tuple[float, str], int] = {}
        self._taken: set[int] = set()

    def number_of(self, settings: Settings) -> int:
        """The setting of the bank that stands for a trial's."""
        key = settings.lr, str(settings.schedule)
        if key not in self._number:
            self._number[key] = self.bank.nearest(settings.params(), self._taken)
            self._taken.add(self._number[key])
        return self._number[key]

    def keys(self, lanes: Sequence[Lane]) -> list[Key]:
        """What of the bank stands for lanes."""
        return [(self.number_of(Settings(lane.lr, lane.schedule)), lane.seed) for lane in lanes]

    def train(
        self, task: Task, lanes: Sequence[Lane], training: TrainingSection, pauses: Collection[int] = ()
    ) -> LaneStream:
        """See `Engine.train`."""
        keys = self.keys(lanes)
        self.bank.need(keys)
        curves = [self.bank[key] for key in keys]
        live = list(range(len(lanes)))
        for epoch in range(training.epochs + 1):
            self.epochs += len(live) if epoch else 0
            kept = yield _records(task, lanes, curves, live, epoch)
            ended = {lane for lane in live if epoch and _diverges(curves[lane], epoch)}
            live = [lane for lane in live if lane not in ended and (kept is None or lane in kept)]
            if not live:
                return


def _diverges(curve: Curve, epoch: int) -> bool:
    """Whether this epoch is the one in which the lane diverged: nothing is known of the next."""
    behind = curve.test[epoch + 1 : epoch + 2]
    return curve.diverged and bool(np.isnan(behind).all())


def _records(task: Task, lanes: Sequence[Lane], curves: Sequence[Curve], live: list[int], epoch: int) -> LaneRecords:
    test = np.array([float(curves[lane].test[epoch]) for lane in live])
    return LaneRecords(
        epoch=epoch,
        lanes=tuple(live),
        lr=np.array([lanes[lane].lr for lane in live]),
        train_metric=test,
        test_metric=test,
        diverged=np.array([epoch > 0 and _diverges(curves[lane], epoch) for lane in live]),
        extra={name: np.array([_extra(curves[lane], name) for lane in live]) for name in task.extra},
        seconds=0.0,
    )


def _extra(curve: Curve, name: str) -> float:
    return curve.holdout if name == HOLDOUT else np.nan
