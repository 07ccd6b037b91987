"""When a run counts as diverged."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property

from lrsearch.tasks.constant_prediction import constant_loss, constant_metric
from lrsearch.tasks.task import Task

LIMIT = 1e3
"""A run has diverged when its loss or test metric exceeds this many times its scale."""


class ConstantValues:
    """What a prediction that looks at no input comes to; computed when a run first looks diverged, and kept.

    Args:
        task: What is trained.
    """

    def __init__(self, task: Task) -> None:
        self._task = task

    @cached_property
    def _loss(self) -> float | None:
        return constant_loss(self._task)

    @cached_property
    def _metric(self) -> float | None:
        return constant_metric(self._task)

    def loss(self) -> float | None:
        """Its loss on the training rows; None if there is none."""
        return self._loss

    def metric(self) -> float | None:
        """Its metric on the test rows; None if there is none."""
        return self._metric


def _unknown() -> None:
    return None


def diverged(
    value: float, before: float, *, maximise: bool = False, constant: Callable[[], float | None] = _unknown
) -> bool:
    """Whether a loss or metric is non-finite, or worse than `LIMIT` times its scale.

    The scale is ``max(|before|, |constant|)``: a network that begins almost perfect (residual, pretrained) has not
    diverged while it is better than a prediction that looks at no input. It is judged by ``value > LIMIT * scale``, or
    ``value < -LIMIT * scale`` where it is to rise. Where both are exactly 0 only what is not finite has diverged:
    nothing says how large is large.

    Args:
        value: The value now.
        before: The value before training.
        maximise: Whether a larger value is better.
        constant: Gives the value of a constant prediction, or None; called where the value before training does not
            decide.
    """
    worse = -value if maximise else value
    if not math.isfinite(value):
        return True
    if not worse > LIMIT * abs(before):
        return False
    return worse > LIMIT * max(abs(before), abs(constant() or 0.0)) > 0
