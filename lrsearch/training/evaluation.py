"""Metrics over all rows of a data set, in eval mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import Data, Rows, Streamed, count
from lrsearch.tasks.metrics import Metric
from lrsearch.training.precision import Precision
from lrsearch.training.reading import in_order, read

EVALUATION_ROWS = 8192
"""Rows in one forward pass of an evaluation: enough for speed, few enough for memory."""


def shows_train_metric(epoch: int, training: TrainingSection) -> bool:
    """Whether the metric on training rows is looked at after an epoch; no decision rests on it.

    Args:
        epoch: Epochs finished.
        training: How many there are, and after how many it is looked at.
    """
    return epoch % training.train_metric_every == 0 or epoch == training.epochs


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
    if not isinstance(rows, Streamed):
        return evaluate(model, rows, metrics, precision)
    batches = read(rows, in_order(count(rows), training.batch_size), precision.device, training.loader_workers)
    sums = dict.fromkeys(metrics, 0.0)
    seen = 0
    for inputs, targets in batches:
        values = _values(metrics, _outputs(model, inputs, precision), targets)
        sums = {name: sums[name] + len(targets) * value for name, value in values.items()}
        seen += len(targets)
    return {name: total / seen for name, total in sums.items()}


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
    inputs, targets = data
    precision = precision or Precision("float32", inputs.device)
    rows = EVALUATION_ROWS
    while True:
        try:
            outputs = torch.cat([_outputs(model, part, precision) for part in torch.split(inputs, rows)])
            return _values(metrics, outputs, targets)
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
