"""The best prediction that looks at no input: what a network must beat to have learned anything."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lrsearch.tasks import nest
from lrsearch.tasks.attempt import attempt
from lrsearch.tasks.blocks import per_block
from lrsearch.tasks.data import Data, Rows, Streamed, same_random_numbers
from lrsearch.tasks.metrics import Metric
from lrsearch.tasks.task import Task
from lrsearch.tasks.untrained import untrained_outputs

ABSENT = 0.5
"""Training rows that a class counts which has none: a share of nothing would make its cross-entropy infinite."""
SHAPE_ROWS = 8
"""Rows that an untrained network sees, for the shape of its outputs."""


@dataclass(frozen=True)
class ConstantPrediction:
    """One output for all rows, and how good it is.

    Attributes:
        name: What it is, such as ``the mean of the training targets``.
        value: The task's metric of it.
        blocks: The same per block of rows (`blocks.PerBlock`), with the blocks of a trained network.
    """

    name: str
    value: float
    blocks: list[float]


def constant_prediction(task: Task, rows: Rows, *, maximise: bool = False) -> ConstantPrediction | None:
    """The best constant output, chosen on the training rows; leaves every random stream as it was.

    For a named metric that is the one that is best by it. For a callable it is the best of the mean, the median, the
    logit of the mean and the class shares of the training targets, as far as they fit the network's outputs.

    Args:
        task: Any task.
        rows: What it is evaluated on.
        maximise: Whether larger values of the metric are better.

    Returns:
        The prediction; None if none fits, its metric fails or is not finite, a DataLoader reads the rows, or targets
        are more than one tensor.
    """
    if isinstance(rows, Streamed) or isinstance(task.train, Streamed):
        return None
    train = task.train
    if not isinstance(train[1], Tensor) or not isinstance(rows[1], Tensor):
        return None
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        return attempt(lambda: _best(task, train, rows, maximise), "the constant prediction")


def constant_loss(task: Task) -> float | None:
    """The loss on the training rows of the constant output that has the least; leaves every random stream as it was.

    Args:
        task: Any task.

    Returns:
        The loss; None as in `constant_prediction`.
    """
    return _value(task, task.loss, task.loss_function, task.train)


def constant_metric(task: Task) -> float | None:
    """The metric on the test rows of the constant output that is best on the training rows, as `constant_loss`.

    Args:
        task: Any task.
    """
    return _value(task, task.metric, task.metric_function, task.test, maximise=task.maximises)


def _value(task: Task, named: Metric | str, metric: Metric, rows: Rows, *, maximise: bool = False) -> float | None:
    if isinstance(rows, Streamed) or isinstance(task.train, Streamed):
        return None
    train, targets = task.train, rows[1]
    if not isinstance(train[1], Tensor) or not isinstance(targets, Tensor):
        return None
    with torch.no_grad(), warnings.catch_warnings(action="ignore"), same_random_numbers():
        best = attempt(lambda: _chosen(task, named, metric, train, maximise), "the constant prediction")
        return None if best is None else _finite(metric, best[1], targets)


def _chosen(task: Task, named: Metric | str, metric: Metric, train: Data, maximise: bool) -> tuple[str, Tensor] | None:
    """Name and output of the constant that is best on the training rows."""
    shape = untrained_outputs(task, nest.taken(train[0], slice(SHAPE_ROWS)))
    if not isinstance(shape, Tensor):
        return None
    best, worth = None, math.inf
    for name, output in _candidates(named, train[1], shape):
        value = _finite(metric, output, train[1])
        if value is not None and (-value if maximise else value) < worth:
            best, worth = (name, output), -value if maximise else value
    return best


def _best(task: Task, train: Data, rows: Data, maximise: bool) -> ConstantPrediction | None:
    best = _chosen(task, task.metric, task.metric_function, train, maximise)
    if best is None:
        return None
    name, output = best
    value = _finite(task.metric_function, output, rows[1])
    blocks = per_block(task, rows)(_repeated(output, rows[1]), rows[1]).tolist()
    if value is None or not all(map(math.isfinite, blocks)):
        return None
    return ConstantPrediction(name, value, blocks)


def _finite(metric: Metric, output: Tensor, targets: Tensor) -> float | None:
    """The metric of a constant output; None if it fails or is no number."""
    value = attempt(lambda: float(metric(_repeated(output, targets), targets)), "the metric of a constant output")
    return value if value is not None and math.isfinite(value) else None


def _repeated(output: Tensor, targets: Tensor) -> Tensor:
    """One output for every row; in memory of their own, for a metric may write to them."""
    return output.expand(len(targets), *output.shape).contiguous().to(targets.device)


def _candidates(metric: Metric | str, targets: Tensor, outputs: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Name and output [...] of each constant that fits outputs [rows, ...].

    Args:
        metric: A named one wants one of them.
        targets: Those of the training rows.
        outputs: An untrained network's.
    """
    wanted = NAMED.get(metric) if isinstance(metric, str) else None
    for name, make in CANDIDATES.items():
        output = make(targets, outputs) if wanted in (None, name) else None
        if output is not None and output.numel() == outputs[0].numel():
            yield name, output.reshape(outputs.shape[1:]).to(outputs.dtype)


def _mean(targets: Tensor, _: Tensor) -> Tensor | None:
    return targets.double().mean(dim=0)


def _median(targets: Tensor, _: Tensor) -> Tensor | None:
    # numpy's lies in the middle between two, and takes any number of rows.
    return torch.from_numpy(np.asarray(np.median(targets.cpu().double().numpy(), axis=0)))


def _logit(targets: Tensor, _: Tensor) -> Tensor | None:
    if bool((targets < 0).any() | (targets > 1).any()):
        return None
    rest = ABSENT / len(targets)
    return torch.logit(targets.double().mean(dim=0).clamp(rest, 1 - rest))


def _class_shares(targets: Tensor, outputs: Tensor) -> Tensor | None:
    """Log shares [classes, ...], the same at every place of an output that has several."""
    counts = _class_counts(targets, outputs)
    if counts is None:
        return None
    counts = counts.clamp(min=ABSENT)
    return _at_every_place((counts / counts.sum()).log(), outputs)


def _commonest_class(targets: Tensor, outputs: Tensor) -> Tensor | None:
    counts = _class_counts(targets, outputs)
    if counts is None:
        return None
    return _at_every_place(functional.one_hot(counts.argmax(), len(counts)).double(), outputs)


def _class_counts(targets: Tensor, outputs: Tensor) -> Tensor | None:
    """How often each class is there; None if the targets are no class numbers of such outputs."""
    if outputs.ndim < 2 or outputs.shape[1] < 2 or outputs.shape[2:] != targets.shape[1:]:
        return None
    if bool((targets != targets.round()).any() | (targets >= outputs.shape[1]).any()):
        return None
    there = targets[targets >= 0].long()  # cross_entropy leaves out what is less
    return torch.bincount(there, minlength=outputs.shape[1]).double()


def _at_every_place(of_classes: Tensor, outputs: Tensor) -> Tensor:
    return of_classes.reshape(-1, *[1] * (outputs.ndim - 2)).expand(outputs.shape[1:])


MEAN = "the mean of the training targets"
MEDIAN = "the median of the training targets"
SHARES = "the class shares of the training rows"
COMMONEST = "the most common class of the training rows"
CANDIDATES: dict[str, Callable[[Tensor, Tensor], Tensor | None]] = {
    MEAN: _mean,
    MEDIAN: _median,
    "the logit of the mean of the training targets": _logit,
    SHARES: _class_shares,
    COMMONEST: _commonest_class,
}
"""Name -> function of the training targets and an untrained network's outputs, or None if it does not fit."""
NAMED = {
    "mse": MEAN, "mae": MEDIAN, "r2": MEAN, "cross_entropy": SHARES, "error": COMMONEST, "accuracy": COMMONEST
}  # fmt: skip
"""Which of them is best by a named metric."""
