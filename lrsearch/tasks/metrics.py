"""Metrics of whole data sets, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn import functional

from lrsearch.tasks import torchmetrics_by_name

Metric = Callable[[Any, Any], Tensor]
"""``metric(outputs [rows, ...], targets [rows, ...]) -> scalar tensor``; both may be nests of tensors."""
IGNORED = -100
"""torch's number of a class that does not count."""


def cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of logits [rows, classes, ...] and class numbers [rows, ...], which become ``long``."""
    return functional.cross_entropy(outputs, targets.long())


def accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Share of class numbers [rows, ...] whose logit is the largest of logits [rows, classes, ...]."""
    return (outputs.argmax(dim=1) == targets).to(outputs.dtype).mean()


def error(outputs: Tensor, targets: Tensor) -> Tensor:
    """``1 - accuracy``; NaN if a logit is, for a broken model must not look like a bad guess."""
    return (1 - accuracy(outputs, targets)) + 0 * outputs.sum()


def r2(outputs: Tensor, targets: Tensor) -> Tensor:
    """Explained share of the targets' variance: ``1 - sum((targets - outputs)^2) / sum((targets - mean)^2)``."""
    return 1 - (targets - outputs).square().sum() / (targets - targets.mean()).square().sum()


LOSSES: dict[str, Metric] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "cross_entropy": cross_entropy,
    "error": error,
}
"""What a loss may be called by name; the smaller, the better."""
MAXIMISED: dict[str, Metric] = {"accuracy": accuracy, "r2": r2, **torchmetrics_by_name.METRICS}
"""The larger, the better."""
METRICS: dict[str, Metric] = {**LOSSES, **MAXIMISED}
"""What a metric, or an extra one, may be called by name."""
ROW_MEANS = (*LOSSES, "accuracy")
"""Those that over all rows are the mean of what they are row by row."""


def is_mean(metric: Metric) -> bool:
    """Whether a metric is one of the names that are means over rows."""
    return any(metric is METRICS[name] for name in ROW_MEANS)


def weight(metric: Metric, targets: Tensor) -> int:
    """Over how many targets a mean of a batch is, so that means of batches can become that of all rows.

    Args:
        metric: One of which `is_mean` says so.
        targets: Of the batch.
    """
    return int((targets != IGNORED).sum()) if metric is cross_entropy else targets.numel()


EXTRA_METRICS: dict[str, dict[str, Metric]] = {
    "cross_entropy": {"accuracy": accuracy},
    "error": {"accuracy": accuracy},
}
