"""The one family with memory: the rate falls when the test metric has stopped improving."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lrsearch.schedules.base import Schedule, check_horizon, parameter, register
from lrsearch.study_file.axes import Range

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler


@dataclass(frozen=True)
class PlateauState:
    """What the plateau family remembers between two evaluations.

    Attributes:
        best: Best metric so far; infinite before the first.
        waited: Evaluations since the metric last improved.
        kept: Share of the initial rate that the drops so far have left.
        ignored: Evaluations of the warm-up that are still to come.
        cooling: Evaluations after a drop, still to come, that are not waited for.
    """

    best: float = math.inf
    waited: int = 0
    kept: float = 1.0
    ignored: int = 0
    cooling: int = 0


@register
@dataclass(frozen=True)
class Plateau(Schedule):
    """The rate drops when the metric has not improved for more than `patience` evaluations.

    An evaluation improves when ``metric < best - threshold * |best|``, or, where a larger metric is better, when
    ``metric > best + threshold * |best|``; NaN never does. torch: `ReduceLROnPlateau` with a relative threshold, but
    for metrics below 0, where that class has ``best * (1 - threshold)``, which a metric that gets worse undercuts.
    And without its `eps`: that rule skips drops of less than 1e-8, so that the factor would depend on the learning
    rate. Evaluations during a warm-up are ignored.

    Attributes:
        maximise: Whether a larger metric is better. It is no parameter: the study knows it.
    """

    name = "plateau"
    unit = "evaluation"
    formula = "factor^(times that more than patience evaluations brought no improvement)"
    torch_class = "ReduceLROnPlateau"
    aliases = ("ReduceLROnPlateau", "reduce_lr_on_plateau")
    groups = ("classical",)

    drop: float = parameter(
        0.1, "share of the rate kept at a drop", called="factor",
        search=Range(low=0.1, high=0.7, log=True), above=0, below=1,
    )  # fmt: skip
    patience: int = parameter(
        10, "evaluations without improvement that are waited out",
        search=Range(low=1, high=10), minimum=0, integer=True,
    )  # fmt: skip
    threshold: float = parameter(
        1e-4, "relative change of the metric that counts as an improvement",
        search=Range(low=1e-4, high=0.03, log=True), minimum=0, below=1,
    )  # fmt: skip
    cooldown: int = parameter(0, "evaluations after a drop that are not waited for", minimum=0, integer=True)
    min_lr: float = parameter(0.0, "learning rate below which no drop leads", minimum=0)
    maximise: bool = field(default=False, kw_only=True)

    def signature(self, lr: float, horizon: int, updates: int = 1) -> float | tuple[object, ...] | None:
        # The first evaluation always improves; a drop after the last trains nothing.
        evaluations = horizon - self.warmup_steps(horizon * updates) // updates
        return super().signature(lr, horizon, updates) if evaluations <= self.patience + 2 else None

    def directed(self, maximise: bool) -> Plateau:
        return self if maximise == self.maximise else replace(self, maximise=maximise)

    def initial_state(self, horizon: int, updates: int = 1) -> PlateauState:
        ignored = self.warmup_steps(horizon * updates) // updates
        return PlateauState(best=-math.inf if self.maximise else math.inf, ignored=ignored)

    def update(self, state: PlateauState, metric: float) -> PlateauState:
        if state.ignored:
            return replace(state, ignored=state.ignored - 1)
        better = self._improves(metric, state.best)
        best, waited = (float(metric), 0) if better else (state.best, state.waited + 1)
        if state.cooling:
            return replace(state, best=best, waited=0, cooling=state.cooling - 1)
        if waited <= self.patience:
            return replace(state, best=best, waited=waited)
        return replace(state, waited=0, kept=state.kept * self.drop, cooling=self.cooldown)

    def _improves(self, metric: float, best: float) -> bool:
        # A factor instead of a difference: an infinite best would give inf - inf.
        margin = math.copysign(self.threshold, best)
        return metric > best * (1 + margin) if self.maximise else metric < best * (1 - margin)

    def factor(
        self, t: int, horizon: int, state: PlateauState | None = None, *, update: int = 0, updates: int = 1
    ) -> float:  # fmt: skip
        risen = super().factor(t, horizon, update=update, updates=updates)
        return risen if state is None else risen * state.kept

    def rate(
        self, lr: float, t: int, horizon: int, state: PlateauState | None = None, *, update: int = 0, updates: int = 1
    ) -> float:  # fmt: skip
        reached = super().rate(lr, t, horizon, state, update=update, updates=updates)
        dropped = state is not None and state.kept < 1
        return max(reached, min(self.min_lr, lr)) if dropped else reached

    def shape(self, t: int, horizon: int) -> float:
        return 1.0

    def shape_code(self, lr: float, horizon: int) -> str:
        return f"scheduler = Plateau(\n    optimizer, 0, {self._options()}\n)"

    def code(self, lr: float, horizon: int, *, updates: int = 1, where: str | None = None) -> str:
        check_horizon(horizon, f"scheduler {self.name}")
        rising = self.warmup_steps(horizon * updates)
        made = f"scheduler = Plateau(\n    optimizer, {rising}, {self._options()}\n)"
        return f"{_PLATEAU}\n\n{made}\n{self._where_to_step(rising, updates, where)}"

    def step_comment(self, where: str | None = None) -> str:
        return f"# call scheduler.step(test_metric) {where or 'after every evaluation'}"

    def _where_to_step(self, rising: int, updates: int, where: str | None) -> str:
        if not rising or updates == 1:
            return self.step_comment(where)
        return (
            f"# call scheduler.step() after each of the first {rising} updates of the run,\n"
            "# and scheduler.step(test_metric) after every evaluation that is later than those"
        )

    def build(self, optimizer: Optimizer, horizon: int, updates: int = 1) -> LRScheduler:
        from lrsearch.schedules.built import BuiltPlateau

        check_horizon(horizon, f"scheduler {self.name}")
        return BuiltPlateau(self, optimizer, horizon, updates)

    def _options(self) -> str:
        shown = f"factor={self.drop!r}, patience={self.patience}, threshold={self.threshold!r}"
        further = {"cooldown": self.cooldown, "min_lr": self.min_lr}
        shown += "".join(f", {name}={value!r}" for name, value in further.items() if value)
        return shown + (', eps=0.0, mode="max"' if self.maximise else ", eps=0.0")


# torch's class lets a metric below 0 improve by getting worse, and SequentialLR refuses it. Two names of one method,
# because torch renamed it.
_PLATEAU = """\
class Plateau(torch.optim.lr_scheduler.ReduceLROnPlateau):
    def __init__(self, optimizer, warmup, **options):
        super().__init__(optimizer, **options)
        self.warmup = warmup
        self.initial_lrs = [group["lr"] for group in optimizer.param_groups]
        self.rise()

    def rise(self):
        risen = min(self.last_epoch + 1, self.warmup + 1) / (self.warmup + 1)
        for group, lr in zip(self.optimizer.param_groups, self.initial_lrs):
            group["lr"] = lr * risen
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def step(self, metrics=None, epoch=None):
        if self.last_epoch >= self.warmup:
            super().step(metrics, epoch)
        else:
            self.last_epoch += 1
            self.rise()

    def is_better(self, metric, best):
        margin = self.threshold if best >= 0 else -self.threshold
        if self.mode == "max":
            return metric > best * (1 + margin)
        return metric < best * (1 - margin)

    _is_better = is_better
"""
