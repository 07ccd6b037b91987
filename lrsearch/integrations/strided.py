"""A scheduler that a framework steps more often than it should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau


class Strided(LRScheduler):
    """Steps another scheduler at every so many calls: once per epoch, say, where it is called after every update.

    Args:
        scheduler: The scheduler; its class decides what is handed on.
        calls: Calls for one step, at least 1.
    """

    def __init__(self, scheduler: LRScheduler, calls: int) -> None:
        self.scheduler, self.calls, self.done = scheduler, calls, 0
        self.optimizer = scheduler.optimizer
        self.base_lrs, self._last_lr = scheduler.base_lrs, scheduler._last_lr
        self.last_epoch, self._step_count = scheduler.last_epoch, scheduler._step_count

    def step(self, *arguments: Any) -> None:
        """Count a call, and step where it is time.

        Args:
            arguments: The metric, for plateau.
        """
        self.done += 1
        if self.done % self.calls == 0:
            self.scheduler.step(*arguments)
            self._last_lr, self.last_epoch = self.scheduler._last_lr, self.scheduler.last_epoch

    def get_lr(self) -> list[Any]:
        return list(self.scheduler.get_last_lr())

    def state_dict(self) -> dict[str, Any]:
        return {"done": self.done, "calls": self.calls, "scheduler": self.scheduler.state_dict()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.done, self.calls = state_dict["done"], state_dict["calls"]
        self.scheduler.load_state_dict(state_dict["scheduler"])
        self._last_lr, self.last_epoch = self.scheduler._last_lr, self.scheduler.last_epoch


class StridedPlateau(Strided, ReduceLROnPlateau):
    """The same for plateau, which frameworks know by its class."""


def strided(scheduler: LRScheduler, calls: int) -> LRScheduler:
    """A scheduler that steps at every so many calls; the scheduler itself, where each call is a step.

    Args:
        scheduler: The scheduler.
        calls: Calls for one step.
    """
    if calls == 1:
        return scheduler
    return (StridedPlateau if isinstance(scheduler, ReduceLROnPlateau) else Strided)(scheduler, calls)
