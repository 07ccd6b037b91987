"""What a single run came to: its numbers, whether it diverged, and the code that does the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from lrsearch.training import steering
from lrsearch.training.definition import RunDefinition
from lrsearch.training.run import EpochRecord, Run


@dataclass(frozen=True)
class EpochMetrics:
    """A run's metrics at one moment.

    Attributes:
        epoch: Epochs finished, or evaluations with `evaluate_every`; 0 is before training.
        train: The metric on the training rows.
        test: The metric on the test rows.
        extra: Further metrics on the test rows.
    """

    epoch: int
    train: float
    test: float
    extra: dict[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        epochs: Epochs trained; a whole number, unless patience has ended the run within one.
        before: Before the first update.
        final: After the last epoch.
        best_train: Where the metric on the training rows was best.
        best_test: Where the metric on the test rows was best.
        kept: The epoch whose weights are kept: the last, or the best on the test rows, before training not among them.
        diverged: Whether the run diverged, which ended it.
        segments: The rates of the run, where they were set by hand more than once; None for any other run.
        seconds: Wall-clock seconds of training, all sittings together.
        code: Lines of torch code that train with the same settings.
    """

    epochs: float
    before: EpochMetrics
    final: EpochMetrics
    best_train: EpochMetrics
    best_test: EpochMetrics
    kept: EpochMetrics
    diverged: bool
    segments: list[steering.Segment] | None
    seconds: float
    code: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def outcome(definition: RunDefinition, run: Run) -> Outcome:
    """What a run came to so far.

    Args:
        definition: What the run is.
        run: The run, at any epoch.
    """
    before = EpochMetrics(0, run.before.train_metric, run.before.test_metric, dict(run.before.extra))
    moments = [before, *map(_numbers, run.records)]
    best = run.best_record if run.keep == "best" else None
    by_hand, sign = _by_hand(run), -1 if run.task.maximises else 1
    return Outcome(
        epochs=run.epochs_done,
        before=before,
        final=moments[-1],
        best_train=_best(moments, lambda moment: sign * moment.train),
        best_test=_best(moments, lambda moment: sign * moment.test),
        kept=moments[-1] if best is None else _numbers(best),
        diverged=run.diverged,
        segments=by_hand if len(by_hand) > 1 else None,
        seconds=sum(record.seconds for record in run.records),
        code=_code(definition, run, by_hand),
    )


def _code(definition: RunDefinition, run: Run, by_hand: list[steering.Segment]) -> str:
    if len(by_hand) > 1:
        return steering.code(run.training, by_hand, grouped=run.task.parameters is not None)
    # Even the first rate may have been chosen by hand.
    return replace(definition, lr=by_hand[0].lr if by_hand else run.lr).code(run.task)


def _by_hand(run: Run) -> list[steering.Segment]:
    if run.schedule.name != "constant" or run.schedule.warmup_fraction:
        return []
    return steering.segments([record.lr for record in run.records])


def _numbers(record: EpochRecord) -> EpochMetrics:
    return EpochMetrics(record.epoch, record.train_metric, record.test_metric, dict(record.extra))


def _best(moments: list[EpochMetrics], value: Callable[[EpochMetrics], float]) -> EpochMetrics:
    """The smallest value is the best; NaN never is, unless there is nothing else."""
    return min(moments, key=lambda moment: (math.isnan(value(moment)), value(moment)))
