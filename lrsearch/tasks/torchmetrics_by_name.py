"""Metrics that torchmetrics computes: some of them by name, and any of its objects. It is imported when one is used."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


def _kind(outputs: Tensor, targets: Tensor) -> tuple[str, Tensor, dict[str, Any]]:
    """Two classes where there is one logit for each target, several where there is one for each class."""
    if outputs.shape == targets.shape or outputs.shape == (*targets.shape, 1):
        return "binary", outputs.reshape(targets.shape).sigmoid(), {}
    return "multiclass", outputs.softmax(dim=1), {"num_classes": outputs.shape[1]}


def _classified(name: str, **options: Any) -> Callable[[Tensor, Tensor], Tensor]:
    def metric(outputs: Tensor, targets: Tensor) -> Tensor:
        from torchmetrics.functional import classification  # seconds that nobody else should wait for

        kind, scores, own = _kind(outputs, targets)
        if kind == "multiclass":
            own |= options
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a class that a few rows do not have
            value: Tensor = getattr(classification, f"{kind}_{name}")(scores, targets.long(), **own)
        return value

    metric.__name__ = name
    return metric


METRICS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "f1": _classified("f1_score", average="macro"),
    "auroc": _classified("auroc", average="macro"),
    "average_precision": _classified("average_precision", average="macro"),
    "iou": _classified("jaccard_index", average="macro"),
}
"""Of logits [rows, classes, ...] or [rows] and class numbers; means over classes where there are more than two."""


def is_object(metric: object) -> bool:
    """Whether something is an object of torchmetrics."""
    return any(kind.__module__.startswith("torchmetrics.") for kind in type(metric).__mro__)


def on_whole_set(metric: Any) -> Callable[[Tensor, Tensor], Tensor]:
    """A function of outputs and targets that uses an object of torchmetrics, and leaves it as it was.

    Args:
        metric: The object.
    """
    return WholeSet(metric)


@dataclass(frozen=True)
class WholeSet:
    """See `on_whole_set`; two of the same object are equal."""

    metric: Any

    @property
    def __name__(self) -> str:
        return type(self.metric).__name__.lower()

    def fresh(self) -> Any:
        """The object as it was before it saw anything."""
        fresh = self.metric.clone()
        fresh.reset()
        return fresh

    def __call__(self, outputs: Any, targets: Any) -> Tensor:
        fresh = self.fresh()
        if isinstance(outputs, Tensor):
            fresh = fresh.to(outputs.device)
        fresh.update(outputs, targets)
        value: Tensor = fresh.compute()
        return value
