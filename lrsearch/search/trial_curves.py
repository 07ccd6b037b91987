"""What a trial has gone through, gathered epoch by epoch from its lanes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from lrsearch.search.kept_epoch import KeptEpochs, Rule
from lrsearch.storage.attributes import (
    AUDIT_CURVE,
    AUDIT_DIVERGED_AT,
    AUDIT_SECONDS,
    AUDIT_VALUE,
    BEFORE,
    BLOCK_VALUES,
    BLOCKS_BEFORE,
    DIVERGED_AT,
    EXTRA_CURVES,
    KEPT_EPOCHS,
    LR_CURVE,
    SECONDS,
    SEED_VALUES,
    SPREAD,
    STOPPED_AT,
    TRAIN_CURVE,
)
from lrsearch.tasks.blocks import BLOCKS
from lrsearch.training.engine import LaneRecords, Numbers, side_by_side

LAST = Rule()


class TrialTrace:
    """The curves of one trial: at each epoch the mean over its seeds.

    Args:
        lanes: Its lanes, one per seed, as positions in the engine's list.
        score: Which of the further metrics is the trial's value; None for the test metric.
        rule: Which epoch counts.
    """

    def __init__(self, lanes: Sequence[int], score: str | None = None, rule: Rule = LAST) -> None:
        self.lanes = tuple(lanes)
        self.score = score
        self.rule = rule
        self.kept = KeptEpochs(lanes, rule) if rule.best or rule.stops else None
        self.before = math.nan
        self.test: list[float] = []
        self.train: list[float] = []
        self.lr: list[float] = []
        self.extra: dict[str, list[float]] = {}
        self.seed_values: list[float] = []
        self.blocks: Numbers = np.empty(0)
        self.blocks_before: Numbers = np.empty(0)
        self.diverged_at: int | None = None
        self.not_evaluated: set[int] = set()
        self.seconds = 0.0
        self._early: dict[int, deque[LaneRecords]] = {lane: deque() for lane in self.lanes}

    def take(self, records: LaneRecords) -> bool:
        """Take this trial's part of what the engine yielded; an epoch counts when all lanes have come to its end.

        Args:
            records: Some of the trial's lanes are in it.

        Returns:
            Whether the trial has got on by an epoch.
        """
        going = self.lanes if self.kept is None else self._waited_for(self.kept)
        if all(lane in records.row_of and not self._early[lane] for lane in going):
            self.add(records)
            return records.epoch > 0
        for lane in self.lanes:
            if lane in records.row_of:
                self._early[lane].append(records)
        before = self.epoch
        while going and all(self._early[lane] for lane in going):
            together = [self._early[lane].popleft() for lane in going]
            self.add(side_by_side(together, going))
            going = () if self.kept is None else self._waited_for(self.kept)  # fewer, where one has stopped
        return self.epoch > before

    def _waited_for(self, kept: KeptEpochs) -> tuple[int, ...]:
        return tuple(lane for lane in self.lanes if lane in kept.going)

    def add(self, records: LaneRecords) -> None:
        """Take this trial's part of an epoch.

        Args:
            records: What the engine yielded; all lanes of the trial are in it.
        """
        if self.kept is not None and records.epoch:
            self._add_seed_by_seed(records, self.kept)
            return
        rows = [records.row_of[lane] for lane in self.lanes]
        tests = records.test_metric[rows]
        scores = tests if self.score is None else records.extra[self.score][rows]
        # Only a confirmation looks at blocks, and a run of it has one seed.
        blocks = records.details[BLOCKS][rows[0]] if BLOCKS in records.details and len(rows) == 1 else np.empty(0)
        if records.epoch == 0:
            self.before, self.blocks_before = _mean(scores), blocks
            return
        self.test.append(_mean(tests))
        self.train.append(_mean(records.train_metric[rows]))
        self.lr.append(_mean(records.lr[rows]))
        for name, values in records.extra.items():
            self.extra.setdefault(name, []).append(_mean(values[rows]))
        self.seconds += records.seconds * len(rows) / len(records.lanes)
        if not records.evaluated:
            self.not_evaluated.add(records.epoch)
            return
        self.seed_values, self.blocks = scores.tolist(), blocks
        if records.diverged[rows].any() or not np.isfinite(scores).all():
            self.diverged_at = records.epoch

    def _add_seed_by_seed(self, records: LaneRecords, kept: KeptEpochs) -> None:
        """The same where seeds stop one by one, or keep epochs of their own; what has stopped stays as it was."""
        there = [records.row_of[lane] for lane in self.lanes if lane in records.row_of]
        tests = kept.carried("test", records.test_metric, records)
        extra = {name: kept.carried(f"extra {name}", values, records) for name, values in records.extra.items()}
        scores = tests if self.score is None else extra[self.score]
        self.test.append(_mean(tests))
        self.train.append(_mean(kept.carried("train", records.train_metric, records)))
        self.lr.append(_mean(kept.carried("lr", records.lr, records)))
        for name, values in extra.items():
            self.extra.setdefault(name, []).append(_mean(values))
        self.seconds += records.seconds * len(there) / len(records.lanes)
        kept.take(records, scores)
        if not records.evaluated:
            self.not_evaluated.add(records.epoch)
            return
        self.seed_values, self.blocks = kept.scores.tolist(), kept.blocks
        if records.diverged[there].any() or not np.isfinite(scores).all():
            self.diverged_at = records.epoch

    @property
    def going(self) -> set[int]:
        """The lanes that are trained on."""
        return set(self.lanes) if self.kept is None else self.kept.going

    @property
    def has_stopped(self) -> bool:
        """Whether the patience of all seeds has ended, so that the trial is complete."""
        return not self.going

    @property
    def is_over(self) -> bool:
        """Whether it is complete before the last epoch: it has diverged or stopped."""
        return self.diverged_at is not None or self.has_stopped

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return len(self.test)

    @property
    def value(self) -> float:
        """The trial's value if it ended now; for a diverged one, what it was worth before training."""
        if self.diverged_at is not None:
            return self.before
        if self.kept is not None:
            return _mean(self.kept.scores)
        curve = self.test if self.score is None else self.extra[self.score]
        return next((curve[epoch - 1] for epoch in range(self.epoch, 0, -1) if self.is_evaluated(epoch)), math.nan)

    def is_evaluated(self, epoch: int) -> bool:
        """Whether the metric was looked at after an epoch.

        Args:
            epoch: At most those that are finished.
        """
        return epoch not in self.not_evaluated

    def attributes(self) -> dict[str, Any]:
        """What is stored of the trial beside its intermediate values."""
        kept: dict[str, Any] = {
            BEFORE: finite(self.before),
            TRAIN_CURVE: [finite(value) for value in self.train],
            LR_CURVE: self.lr,
            SEED_VALUES: [finite(value) for value in self.seed_values],
            SECONDS: round(self.seconds, 6),
        }
        if len(self.seed_values) > 1:
            kept[SPREAD] = finite(float(np.std(self.seed_values, ddof=1)))
        if self.extra:
            kept[EXTRA_CURVES] = {name: [finite(v) for v in curve] for name, curve in self.extra.items()}
        if self.kept is not None:
            kept[KEPT_EPOCHS] = list(self.kept.epochs)
        if self.has_stopped:
            kept[STOPPED_AT] = self.epoch
        if self.diverged_at is not None:
            kept[DIVERGED_AT] = self.diverged_at
        elif len(self.blocks):
            kept |= _blocks(BLOCK_VALUES, self.blocks) | _blocks(BLOCKS_BEFORE, self.blocks_before)
        return kept


def audit_attributes(pruned: TrialTrace, trained: TrialTrace, last: int) -> dict[str, Any]:
    """What is stored of an audit.

    Args:
        pruned: The trial when it was pruned.
        trained: The same trial, now.
        last: Evaluations of a trial that is trained to the end.
    """
    kept: dict[str, Any] = {
        AUDIT_CURVE: [finite(value) for value in trained.test[pruned.epoch :]],
        AUDIT_SECONDS: round(max(trained.seconds - pruned.seconds, 0.0), 6),
    }
    if trained.diverged_at is not None:
        kept[AUDIT_DIVERGED_AT] = trained.diverged_at
    elif trained.epoch == last or trained.has_stopped:
        kept[AUDIT_VALUE] = finite(trained.value)
    return kept


def _blocks(name: str, values: Numbers) -> dict[str, list[float]]:
    """Values of blocks as they are stored, with the digits that float32 has; nothing if there is no telling."""
    if not len(values) or not np.isfinite(values).all():
        return {}
    return {name: [float(f"{value:.7g}") for value in values]}


def _mean(values: Numbers) -> float:
    """The mean over a trial's seeds; most trials have one, and thousands of them are added up every epoch."""
    return float(values[0]) if len(values) == 1 else float(values.mean())


def finite(value: float) -> float | None:
    """A number as it is stored: JSON has no NaN and no infinity.

    Args:
        value: Any number.
    """
    return value if math.isfinite(value) else None
