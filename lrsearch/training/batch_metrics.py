"""Metrics of rows that come batch by batch: collected and computed once, or as a mean over batches where that is right.

A metric means what its name says. F1 of all rows is not the mean of the F1 of batches, so a callable sees the outputs
and targets of all rows at once. Means over batches are taken of the named metrics that are means over rows, of whatever
a task with ``reduce="mean"`` has, and of its loss. An object of torchmetrics collects what it needs itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from lrsearch.errors import input_error
from lrsearch.tasks import nest
from lrsearch.tasks.attempt import attempt
from lrsearch.tasks.blocks import PerBlock, of_batches
from lrsearch.tasks.data import same_random_numbers
from lrsearch.tasks.metrics import Metric, is_mean, weight
from lrsearch.tasks.task import Task
from lrsearch.tasks.torchmetrics_by_name import WholeSet

Details = dict[str, NDArray[np.float64]]
"""Name -> [parts], of a task's `details`."""
LOSS = "loss"
"""A metric of this name is what training minimises batch by batch."""


class _Running(Protocol):
    """A metric on its way through the batches."""

    def add(self, outputs: Any, targets: Any, rows: int) -> None: ...

    def value(self) -> float: ...


class _Mean:
    """The mean over batches, each counted by its rows, or by the targets that a named metric is a mean over."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.total = 0.0
        self.count = 0

    def add(self, outputs: Any, targets: Any, rows: int) -> None:
        counted = weight(self.metric, targets) if is_mean(self.metric) else rows
        if counted:
            self.total += counted * float(self.metric(outputs, targets))
            self.count += counted

    def value(self) -> float:
        return self.total / self.count if self.count else float("nan")


class _Updated:
    """An object of torchmetrics."""

    def __init__(self, metric: WholeSet) -> None:
        self.metric = metric.fresh()

    def add(self, outputs: Any, targets: Any, rows: int) -> None:
        self.metric.to(nest.tensors([outputs, targets])[0].device).update(outputs, targets)

    def value(self) -> float:
        return float(self.metric.compute())


class BatchMetrics:
    """Metrics and details of one look at rows that come batch by batch.

    Args:
        task: What is trained.
        metrics: Name -> metric.
        details: Name -> metric that gives a vector, of all rows (`blocks.PerBlock`) or of each batch a number.
    """

    def __init__(self, task: Task, metrics: Mapping[str, Metric], details: Mapping[str, Metric]) -> None:
        self._metrics = metrics
        self._running = {
            name: made for name, metric in metrics.items() if (made := _running(task, name, metric)) is not None
        }
        self._of_all = {name: metric for name, metric in metrics.items() if name not in self._running}
        self._details_of_all = {name: metric for name, metric in details.items() if isinstance(metric, PerBlock)}
        self._details_of_each = {name: own for name, own in details.items() if name not in self._details_of_all}
        self._of_each: list[Details] = []
        self._rows: list[int] = []
        self._batches: list[tuple[Any, Any]] = []

    def add(self, outputs: Any, targets: Any, rows: int) -> None:
        """The next batch.

        Args:
            outputs: Of the network.
            targets: What they should be.
            rows: Of the batch.
        """
        with torch.no_grad():
            for metric in self._running.values():
                metric.add(outputs, targets, rows)
        self._of_each.append(details_of(self._details_of_each, outputs, targets))
        self._rows.append(rows)
        if self._of_all or self._details_of_all:
            self._batches.append((outputs, targets))

    def came_to(self) -> tuple[dict[str, float], Details]:
        """Name -> value of the metrics, and name -> [parts] of those details that did not fail.

        Raises:
            InputError: The outputs or targets of batches do not fit together, and a metric wants them all at once.
        """
        values = {name: metric.value() for name, metric in self._running.items()}
        whole = [name for name in self._details_of_each if all(name in own for own in self._of_each)]
        kept = {name: of_batches([float(own[name]) for own in self._of_each], self._rows).numpy() for name in whole}
        if self._batches:
            outputs, targets = self._joined()
            values |= values_of(self._of_all, outputs, targets)
            kept |= details_of(self._details_of_all, outputs, targets)
        return {name: values[name] for name in self._metrics}, kept

    def _joined(self) -> tuple[Any, Any]:
        each = list(zip(*self._batches, strict=True))
        try:
            outputs, targets = (nest.joined(part, self._rows) for part in each)
        except (RuntimeError, ValueError) as error:
            seen = " and ".join(list(dict.fromkeys(map(nest.shapes, each[0])))[:2])
            rule = (
                f"wants the outputs of all rows at once, and those of batches do not fit together ({seen}): let "
                'collate pad all batches alike, or write Task(reduce="mean") for the mean over batches'
            )
            raise input_error("task", rule, key=next(iter(self._of_all or self._details_of_all))) from error
        return outputs, targets


def values_of(metrics: Mapping[str, Metric], outputs: Any, targets: Any) -> dict[str, float]:
    """Metrics of some outputs, as numbers.

    Args:
        metrics: Name -> metric.
        outputs: Of the network.
        targets: What they should be.
    """
    with torch.no_grad():
        return {name: float(metric(outputs, targets)) for name, metric in metrics.items()}


def details_of(details: Mapping[str, Metric], outputs: Any, targets: Any) -> Details:
    """Those of some details that do not fail, for no run fails because of what is only looked at.

    Args:
        details: Name -> metric that gives a vector.
        outputs: Of the network.
        targets: What they should be.
    """
    found: Details = {}
    for name, metric in details.items():
        with torch.no_grad(), same_random_numbers():
            values = attempt(partial(_vector, metric, outputs, targets), name)
        if values is not None:
            found[name] = values
    return found


def _running(task: Task, name: str, metric: Metric) -> _Running | None:
    """How a metric is taken through the batches; None for one that wants all rows at once."""
    if isinstance(metric, WholeSet):
        return _Updated(metric)
    return _Mean(metric) if name == LOSS or task.reduce == "mean" or is_mean(metric) else None


def _vector(metric: Metric, outputs: Any, targets: Any) -> NDArray[np.float64]:
    vector: NDArray[np.float64] = metric(outputs, targets).double().cpu().numpy()
    return vector
