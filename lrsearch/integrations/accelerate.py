"""Accelerate: a prepared scheduler that is stepped once per update, however many processes there are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lrsearch.integrations.horizon import epochs_of, fitted
from lrsearch.sampling.suggest import SuggestedSchedule

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

SOURCE = "accelerate"


def prepared(
    accelerator: Any, optimizer: Any, schedule: SuggestedSchedule, *, loader: Any, epochs: int,
    trial: BaseTrial | None = None,
) -> Any:  # fmt: skip
    """A scheduler to be stepped after every batch; with plateau, ``step(metric)`` after every evaluation.

    Accelerate steps a prepared scheduler once for each process, and not while gradients are accumulated. Here each
    update is one step all the same, and types that step after every epoch do so.

    Args:
        accelerator: The Accelerator.
        optimizer: What ``accelerator.prepare`` made of yours; made with ``lr=schedule.lr``.
        schedule: From `lrsearch.suggest_schedule`; its horizon is replaced by that of the run.
        loader: The prepared training DataLoader.
        epochs: Passes over it.
        trial: The trial, which notes the horizon.

    Returns:
        The prepared scheduler.

    Raises:
        InputError: The run has no end, or the optimizer has another rate.
    """
    from lrsearch.integrations.strided import strided

    per_epoch = max(1, math.ceil(len(loader) / accelerator.gradient_accumulation_steps))
    whole, updates = epochs_of(epochs * per_epoch, per_epoch, SOURCE)
    own = fitted(schedule, trial, epochs=whole, updates=updates)
    scheduler = own.build(getattr(optimizer, "optimizer", optimizer))
    times = 1 if accelerator.split_batches else accelerator.num_processes
    by_epoch = own.unit == "epoch" and not own.needs_metric
    return accelerator.prepare_scheduler(strided(scheduler, times * (per_epoch if by_epoch else 1)))
