"""The one family with memory: the rate falls when the test metric has stopped falling."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lrsearch.schedules.base import Schedule, parameter, register
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
    """

    best: float = math.inf
    waited: int = 0
    kept: float = 1.0
    ignored: int = 0


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
        1e-4, "relative fall of the metric that counts as an improvement",
        search=Range(low=1e-4, high=0.03, log=True), minimum=0, below=1,
    )  # fmt: skip

    maximise: bool = field(default=False, kw_only=True)

    def directed(self, maximise: bool) -> Plateau:
        return self if maximise == self.maximise else replace(self, maximise=maximise)

    def initial_state(self, horizon: int) -> PlateauState:
        return PlateauState(best=-math.inf if self.maximise else math.inf, ignored=self.warmup_steps(horizon))

    def update(self, state: PlateauState, metric: float) -> PlateauState:
        if state.ignored:
            return replace(state, ignored=state.ignored - 1)
        if self._improves(metric, state.best):
            return replace(state, best=float(metric), waited=0)
        if state.waited < self.patience:
            return replace(state, waited=state.waited + 1)
        return replace(state, waited=0, kept=state.kept * self.drop)

    def _improves(self, metric: float, best: float) -> bool:
        # A factor instead of a difference: an infinite best would give inf - inf.
        margin = math.copysign(self.threshold, best)
        return metric > best * (1 + margin) if self.maximise else metric < best * (1 - margin)

    def factor(self, t: int, horizon: int, state: PlateauState | None = None) -> float:
        risen = super().factor(t, horizon)
        return risen if state is None else risen * state.kept

    def shape(self, t: int, horizon: int) -> float:
        return 1.0

    def shape_code(self, lr: float, horizon: int) -> str:
        return f"scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(\n    optimizer, {self._options()}\n)"

    def code(self, lr: float, horizon: int) -> str:
        warmup = self.warmup_steps(horizon)
        if not warmup:
            return super().code(lr, horizon)
        made = f"scheduler = WarmupThenPlateau(\n    optimizer, {warmup}, {self._options()}\n)"
        return f"{_WARMUP_THEN_PLATEAU}\n\n{made}\n{self.step_comment()}"

    def step_comment(self) -> str:
        return "# call scheduler.step(test_metric) after every evaluation"

    def build(self, optimizer: Optimizer, horizon: int) -> LRScheduler:
        from torch.optim.lr_scheduler import ReduceLROnPlateau

        warmup = self.warmup_steps(horizon)
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])

        class WarmupThenPlateau(ReduceLROnPlateau):
            def rise(self) -> None:
                for group in self.optimizer.param_groups:
                    group["lr"] = group["initial_lr"] * ((self.last_epoch + 1) / (warmup + 1))
                self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

            def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
                if self.last_epoch >= warmup:
                    super().step(metrics, epoch)
                else:
                    self.last_epoch += 1
                    self.rise()

        scheduler = WarmupThenPlateau(
            optimizer,
            mode="max" if self.maximise else "min",
            factor=self.drop,
            patience=self.patience,
            threshold=self.threshold,
            eps=0.0,
        )
        scheduler.rise()
        return scheduler

    def _options(self) -> str:
        mode = 'mode="max", ' if self.maximise else ""
        return f"{mode}factor={self.drop!r}, patience={self.patience}, threshold={self.threshold!r}, eps=0.0"


# SequentialLR refuses ReduceLROnPlateau, so the warm-up is part of the class.
_WARMUP_THEN_PLATEAU = """\
class WarmupThenPlateau(torch.optim.lr_scheduler.ReduceLROnPlateau):
    def __init__(self, optimizer, warmup, **options):
        super().__init__(optimizer, **options)
        self.warmup = warmup
        self.initial_lrs = [group["lr"] for group in optimizer.param_groups]
        self.rise()

    def rise(self):
        for group, lr in zip(self.optimizer.param_groups, self.initial_lrs):
            group["lr"] = lr * ((self.last_epoch + 1) / (self.warmup + 1))
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def step(self, metrics, epoch=None):
        if self.last_epoch >= self.warmup:
            super().step(metrics, epoch)
        else:
            self.last_epoch += 1
            self.rise()
"""
