"""Metrics over all rows of a data set, in eval mode."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.attempt import attempt
from lrsearch.tasks.blocks import of_batches
from lrsearch.tasks.data import Data, Rows, Streamed, count, same_random_numbers
from lrsearch.tasks.metrics import Metric
from lrsearch.tasks.task import Task
from lrsearch.training.precision import Precision
from lrsearch.training.reading import in_order, read

Details = dict[str, NDArray[np.float64]]
"""Name -> [parts], of a task's `details`."""
EVALUATION_ROWS = 8192
"""Rows in one forward pass of an evaluation: enough for speed, few enough for memory."""


def shows_train_metric(epoch: int, training: TrainingSection) -> bool:
    """Whether the metric on training rows is looked at after an epoch; no decision rests on it.

    Args:
        epoch: Epochs finished.
        training: How many there are, and after how many it is looked at.
    """
    return epoch % training.train_metric_every == 0 or epoch == training.epochs


def details_after(epoch: int, task: Task, training: TrainingSection) -> Mapping[str, Metric]:
    """The task's `details` if they are looked at after an epoch, and none otherwise.

    Args:
        epoch: Epochs finished; 0 before training.
        task: What is trained.
        training: How many epochs there are.
    """
    return task.details if task.details_each_epoch or epoch in (0, training.epochs) else {}


def evaluate_rows(
    rows: Rows, metrics: Mapping[str, Metric], model: nn.Module, precision: Precision, training: TrainingSection
) -> dict[str, float]:
    """Metrics over all rows; over those of a Dataset as the mean of its batches, counted by their targets.

    Args:
        rows: Tensors, or a Dataset.
        metrics: Name -> metric.
        model: The network.
        precision: What the forward passes compute in.
        training: Batch size, and processes that read a Dataset.

    Returns:
        Name -> value.
    """
    return evaluate_in_detail(rows, metrics, {}, model, precision, training)[0]


def evaluate_in_detail(
    rows: Rows,
    metrics: Mapping[str, Metric],
    details: Mapping[str, Metric],
    model: nn.Module,
    precision: Precision,
    training: TrainingSection,
) -> tuple[dict[str, float], Details]:
    """Metrics over all rows, and beside them details of the same outputs; the metrics are what they are without.

    Args:
        rows: As in `evaluate_rows`.
        metrics: As in `evaluate_rows`.
        details: Name -> metric that gives a vector, or of a Dataset a number for each batch.
        model: As in `evaluate_rows`.
        precision: As in `evaluate_rows`.
        training: As in `evaluate_rows`.

    Returns:
        Name -> value, and name -> [parts] of those details that did not fail.
    """
    if not isinstance(rows, Streamed):
        return _evaluate(model, rows, metrics, details, precision)
    batches = read(rows, in_order(count(rows), training.batch_size), precision.device, training.loader_workers)
    sums = dict.fromkeys(metrics, 0.0)
    of_each: list[Details] = []
    counts: list[int] = []
    for inputs, targets in batches:
        outputs = _outputs(model, inputs, precision)
        values = _values(metrics, outputs, targets)
        sums = {name: sums[name] + len(targets) * value for name, value in values.items()}
        of_each.append(_details(details, outputs, targets))
        counts.append(len(targets))
    whole = [name for name in details if all(name in own for own in of_each)]
    kept = {name: of_batches([float(own[name]) for own in of_each], counts).numpy() for name in whole}
    return {name: total / sum(counts) for name, total in sums.items()}, kept


def evaluate(
    model: nn.Module, data: Data, metrics: Mapping[str, Metric], precision: Precision | None = None
) -> dict[str, float]:
    """Metrics over whole tensors, in eval mode and without gradients; draws no random numbers.

    Args:
        model: The network.
        data: Inputs and targets.
        metrics: Name -> metric.
        precision: What the forward passes compute in; the model's own type by default.

    Returns:
        Name -> value.
    """
    return _evaluate(model, data, metrics, {}, precision or Precision("float32", data[0].device))[0]


def _evaluate(
    model: nn.Module, data: Data, metrics: Mapping[str, Metric], details: Mapping[str, Metric], precision: Precision
) -> tuple[dict[str, float], Details]:
    inputs, targets = data
    rows = EVALUATION_ROWS
    while True:
        try:
            outputs = torch.cat([_outputs(model, part, precision) for part in torch.split(inputs, rows)])
            return _values(metrics, outputs, targets), _details(details, outputs, targets)
        except torch.OutOfMemoryError:
            rows = min(rows, len(inputs)) // 2
            if not rows:
                raise


def _outputs(model: nn.Module, inputs: Any, precision: Precision) -> Tensor:
    model.eval()
    with torch.no_grad(), precision.forward():
        return precision.result(model(inputs))


def _values(metrics: Mapping[str, Metric], outputs: Tensor, targets: Tensor) -> dict[str, float]:
    with torch.no_grad():
        return {name: float(metric(outputs, targets)) for name, metric in metrics.items()}


def _details(details: Mapping[str, Metric], outputs: Tensor, targets: Tensor) -> Details:
    found: Details = {}
    for name, metric in details.items():
        with torch.no_grad(), same_random_numbers():
            values = attempt(partial(_vector, metric, outputs, targets), name)
        if values is not None:  # no run fails because of what is only looked at
            found[name] = values
    return found


def _vector(metric: Metric, outputs: Tensor, targets: Tensor) -> NDArray[np.float64]:
    vector: NDArray[np.float64] = metric(outputs, targets).double().cpu().numpy()
    return vector
