"""Which epoch of a run is the one that people keep: the last, or the best by the test metric. For each seed its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from lrsearch.storage.rung_trials import RungTrial
from lrsearch.study_file.model import Definition
from lrsearch.tasks.blocks import BLOCKS
from lrsearch.training.engine import LaneRecords, Numbers


@dataclass(frozen=True)
class Rule:
    """What a study says about it.

    Attributes:
        best: Whether the best epoch is kept, not the last.
        stops: Whether runs may end before the last epoch, so that a trial's seeds end one by one.
        maximise: Whether larger values of the metric are better.
    """

    best: bool = False
    stops: bool = False
    maximise: bool = False

    @classmethod
    def of(cls, definition: Definition, *, maximise: bool) -> Rule:
        """The rule of a study.

        Args:
            definition: The study's.
            maximise: Whether larger values of its metric are better.
        """
        return cls(definition.study.value == "best", definition.training.patience is not None, maximise)

    def best_of(self, curve: Iterable[float]) -> float:
        """The best of some values; what is not finite never is, unless there is nothing else.

        Args:
            curve: The values.
        """
        known = [value for value in curve if math.isfinite(value)]
        if not known:
            return math.nan
        return max(known) if self.maximise else min(known)

    def compared(self, trials: Mapping[int, RungTrial]) -> Mapping[int, RungTrial]:
        """Trials with what they are compared by in the place of their values: the best ones so far, where that counts.

        Args:
            trials: By number, with their values after all epochs where the best one is kept.
        """
        if not self.best:
            return trials
        return {number: replace(trial, values=self._so_far(trial.values)) for number, trial in trials.items()}

    def _so_far(self, values: Mapping[int, float]) -> dict[int, float]:
        epochs = sorted(values)
        return dict(zip(epochs, self.curve([values[epoch] for epoch in epochs]), strict=True))

    def curve(self, values: Sequence[float]) -> list[float]:
        """What a trial is compared by after each epoch: the values themselves, or the best ones so far.

        Args:
            values: From epoch 1.
        """
        return list(accumulate(values, lambda *pair: self.best_of(pair))) if self.best else list(values)


class KeptEpochs:
    """The epoch that each seed of a trial keeps, and what that seed came to there.

    Args:
        lanes: One per seed.
        rule: Which epoch is kept.

    Attributes:
        going: The lanes that are trained on.
        epochs: The epoch that each seed keeps; 0 before the first evaluation; [seeds].
        tests: The test metric there, which decides; [seeds].
        scores: The value there; [seeds].
        blocks: The value per block there, of a trial with one seed.
    """

    def __init__(self, lanes: Sequence[int], rule: Rule) -> None:
        self._lanes, self._rule = tuple(lanes), rule
        self.going = set(lanes)
        self.epochs = [0] * len(self._lanes)
        self.tests = np.full(len(self._lanes), math.nan)
        self.scores = np.full(len(self._lanes), math.nan)
        self.blocks: Numbers = np.empty(0)
        self._carried: dict[str, Numbers] = {}

    def carried(self, name: str, values: Numbers, records: LaneRecords) -> Numbers:
        """Values of all seeds; of those that have stopped the ones that they had then.

        Args:
            name: What the values are.
            values: Of the lanes of the records.
            records: An epoch.
        """
        found = self._carried.setdefault(name, np.full(len(self._lanes), math.nan)).copy()
        for seed, lane in enumerate(self._lanes):
            if lane in records.row_of:
                found[seed] = values[records.row_of[lane]]
        self._carried[name] = found
        return found

    def take(self, records: LaneRecords, scores: Numbers) -> None:
        """Take note of an epoch.

        Args:
            records: The epoch.
            scores: What may be each seed's value; [seeds].
        """
        for seed, lane in enumerate(self._lanes):
            row = records.row_of.get(lane)
            if row is None or lane not in self.going:
                continue
            test = float(records.test_metric[row])
            if (records.evaluated or not math.isnan(test)) and self._is_kept(seed, test):
                self.epochs[seed], self.tests[seed], self.scores[seed] = records.epoch, test, scores[seed]
                one = BLOCKS in records.details and len(self._lanes) == 1
                self.blocks = records.details[BLOCKS][row] if one else np.empty(0)
        self.going -= records.stopped

    def _is_kept(self, seed: int, test: float) -> bool:
        if not self._rule.best or not self.epochs[seed]:
            return True
        best = self.tests[seed]
        return bool(test > best if self._rule.maximise else test < best)
