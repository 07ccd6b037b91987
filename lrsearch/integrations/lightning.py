"""Lightning: what ``configure_optimizers`` returns, and a callback that reports and prunes."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import optuna

from lrsearch.errors import input_error, nearest
from lrsearch.integrations.horizon import epochs_of, fitted, framework
from lrsearch.integrations.reporting import should_end
from lrsearch.sampling.suggest import SuggestedSchedule

if TYPE_CHECKING:
    from optuna.trial import BaseTrial
    from torch.optim import Optimizer

SOURCE = "lightning"


def optimizers(
    module: Any, optimizer: Optimizer, schedule: SuggestedSchedule, trial: BaseTrial | None = None,
    monitor: str = "val_loss",
) -> dict[str, Any]:  # fmt: skip
    """What ``configure_optimizers`` returns: the schedule over what the trainer will do, stepped when it should be.

    Args:
        module: The LightningModule; its trainer is there already.
        optimizer: Made with ``lr=schedule.lr``.
        schedule: From `lrsearch.suggest_schedule`; its horizon is replaced by the trainer's.
        trial: The trial, which notes that horizon.
        monitor: What plateau looks at; the module logs it.

    Raises:
        InputError: The trainer has no end, or the optimizer has another rate.

    Example:
        >>> def configure_optimizers(self):
        ...     optimizer = torch.optim.AdamW(self.parameters(), lr=self.schedule.lr)
        ...     return lightning.optimizers(self, optimizer, self.schedule, self.trial)
    """
    trainer = module.trainer
    updates = trainer.estimated_stepping_batches  # accumulation, devices and limits are in it
    trainer.fit_loop.setup_data()  # with a limit of steps the line above has not looked at the rows
    batches = trainer.num_training_batches
    per_epoch = 1 if not math.isfinite(batches) else math.ceil(batches / trainer.accumulate_grad_batches)
    epochs, updates = epochs_of(updates, per_epoch, SOURCE)
    own = fitted(schedule, trial, epochs=epochs, updates=updates)
    scheduler = {
        "scheduler": own.build(optimizer),
        "interval": "step" if own.unit == "update" else "epoch",
        "frequency": (trainer.check_val_every_n_epoch or 1) if own.needs_metric else 1,
    }
    watched = {"monitor": monitor} if own.needs_metric else {}
    return {"optimizer": optimizer, "lr_scheduler": {**scheduler, **watched}}


def report(trial: BaseTrial, monitor: str = "val_loss", *, prune: bool = True) -> Any:
    """A callback that reports each validation, and ends the trial by lrsearch's rule.

    Args:
        trial: The trial.
        monitor: What the study optimises; the module logs it.
        prune: Whether to end the trial.

    Returns:
        For ``Trainer(callbacks=[...])``.

    Raises:
        InputError: Lightning is not installed.
    """
    return _callback()(trial, monitor, prune)


@cache
def _callback() -> Any:
    """The class, made when Lightning is there."""
    base = framework("lightning.pytorch", "pytorch_lightning").Callback

    class Report(base):  # type: ignore[misc, valid-type]
        """See `report`."""

        def __init__(self, trial: BaseTrial, monitor: str, prune: bool) -> None:
            self.trial, self.monitor, self.prune = trial, monitor, prune

        def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
            if trainer.sanity_checking:
                return
            there = trainer.callback_metrics
            if self.monitor not in there:
                rule = f"the module has not logged it in validation; it has logged {', '.join(there) or 'nothing'}"
                close = nearest(self.monitor, there)
                raise input_error(SOURCE, rule, key="monitor", received=f'"{self.monitor}"', nearest=close)
            epoch, every = trainer.current_epoch + 1, trainer.check_val_every_n_epoch or 1
            ends = False
            if trainer.is_global_zero:
                self.trial.report(float(there[self.monitor]), epoch)
                steps = _epochs(trainer)
                ends = self.prune and steps is not None and should_end(self.trial, steps, every)
            if trainer.strategy.broadcast(ends):  # all devices end together
                raise optuna.TrialPruned(f"not among the best of its scheduler type after epoch {epoch}")

    return Report


def _epochs(trainer: Any) -> int | None:
    """Epochs of the run; None if it has no end."""
    most, updates = trainer.max_epochs, trainer.max_steps
    per_epoch = math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches)
    ends = [most] * (most is not None and most > 0) + [math.ceil(updates / per_epoch)] * (updates > 0)
    return min(ends, default=None)
