"""The task of a confirmation: scored on its holdout rows, and block by block, while all else looks at the test rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from lrsearch.errors import input_error
from lrsearch.study.linked import HOLDOUT
from lrsearch.tasks import nest
from lrsearch.tasks.blocks import BLOCKS, per_block
from lrsearch.tasks.data import count
from lrsearch.tasks.metrics import Metric
from lrsearch.tasks.task import Task


@dataclass(frozen=True)
class OnRows:
    """A metric that looks at some of the rows only.

    Attributes:
        metric: The metric; it may give a vector.
        rows: Which.
    """

    metric: Metric
    rows: slice

    def __call__(self, outputs: Any, targets: Any) -> Tensor:
        return self.metric(nest.taken(outputs, self.rows), nest.taken(targets, self.rows))


HALVES_SEED = 0
"""Of the order in which test rows are dealt to those that choose an epoch and those that score it."""


def halved(task: Task) -> Task:
    """The task with every other test row, in a mixed order, as its holdout rows.

    For a study that keeps the best epoch and has no holdout rows: rows that have chosen an epoch would flatter it.

    Args:
        task: A task whose test rows are tensors.
    """
    assert isinstance(task.test, tuple)
    rows = count(task.test)
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(HALVES_SEED))
    choosing, scoring = order[: (rows + 1) // 2].sort().values, order[(rows + 1) // 2 :].sort().values
    inputs, targets = task.test
    test, holdout = ((nest.taken(inputs, part), nest.taken(targets, part)) for part in (choosing, scoring))
    return replace(task, test=test, holdout=holdout)


def scored(task: Task, score: str | None, *, halves: bool = False, each_epoch: bool = False) -> Task:
    """The task of a confirmation.

    Args:
        task: The study's task.
        score: Which of its further metrics is a trial's value (`StoredStudy.score`); None for the test metric.
        halves: Whether half of the test rows choose the epoch that the other half scores.
        each_epoch: Whether it is not known beforehand which epoch counts.
    """
    task = halved(task) if halves else task
    by_tests = score is None or task.holdout is None
    return (scored_on_tests if by_tests else scored_on_holdout)(task, each_epoch=each_epoch)


def scored_on_tests(task: Task, *, each_epoch: bool = False) -> Task:
    """The task with its metric per block of test rows, for a confirmation that those score.

    Args:
        task: Any task.
        each_epoch: Whether it is not known beforehand which epoch counts.
    """
    return replace(task, details={BLOCKS: per_block(task, task.test)}, details_each_epoch=each_epoch)


def scored_on_holdout(task: Task, *, each_epoch: bool = False) -> Task:
    """The task with one more metric, its own over the holdout rows, and with that per block of these rows.

    The rows of both kinds go through the network together, and each metric looks at its own. So the test metric, which
    steers `plateau` and says what has diverged, is what it was, and no engine knows of the holdout. A network whose
    output for one row depends on the others (batch statistics in eval mode) is the exception: it sees them all.

    Args:
        task: A task whose test and holdout rows are tensors.
        each_epoch: Whether it is not known beforehand which epoch counts.

    Raises:
        InputError: Test and holdout rows do not have the same shape.
    """
    assert isinstance(task.test, tuple)
    assert isinstance(task.holdout, tuple)
    tested, held = ([tuple(part.shape[1:]) for part in nest.tensors(data)] for data in (task.test, task.holdout))
    if tested != held:
        rule = "test and holdout rows must have the same shape"
        raise input_error("task holdout", rule, received=f"{held[0]}, test rows have {tested[0]}")
    counts = [count(task.test), count(task.holdout)]
    tests, rows = counts[0], sum(counts)
    extra: dict[str, Metric] = {name: OnRows(metric, slice(tests)) for name, metric in task.extra.items()}
    inputs, targets = (nest.joined(pair, counts) for pair in zip(task.test, task.holdout, strict=True))
    return replace(
        task,
        test=(inputs, targets),
        metric=OnRows(task.metric_function, slice(tests)),
        holdout=None,
        extra={**extra, HOLDOUT: OnRows(task.metric_function, slice(tests, rows))},
        details={BLOCKS: OnRows(per_block(task, task.holdout), slice(tests, rows))},
        details_each_epoch=each_epoch,
    )
