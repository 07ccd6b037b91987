"""Metrics of whole data sets. Everything here is minimised, but for the extras that are only shown."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

Metric = Callable[[Tensor, Tensor], Tensor]
"""``metric(outputs [rows, ...], targets [rows, ...]) -> scalar tensor``."""


def cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of logits [rows, classes, ...] and class numbers [rows, ...], which become ``long``."""
    return functional.cross_entropy(outputs, targets.long())


def accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Share of class numbers [rows, ...] whose logit is the largest of logits [rows, classes, ...]."""
    return (outputs.argmax(dim=1) == targets).to(outputs.dtype).mean()


def error(outputs: Tensor, targets: Tensor) -> Tensor:
    """``1 - accuracy``; NaN if a logit is, for a broken model must not look like a bad guess."""
    return (1 - accuracy(outputs, targets)) + 0 * outputs.sum()


METRICS: dict[str, Metric] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "cross_entropy": cross_entropy,
    "error": error,
}
SHOWN: dict[str, Metric] = {**METRICS, "accuracy": accuracy}
"""What an extra metric may be called by name."""
EXTRA_METRICS: dict[str, dict[str, Metric]] = {
    "cross_entropy": {"accuracy": accuracy},
    "error": {"accuracy": accuracy},
}
