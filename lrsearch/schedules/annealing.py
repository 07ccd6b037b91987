"""Families that anneal: the rate falls to its final value along a line or curve made for the horizon.

In all of them but `inverse_sqrt`, `final` is the factor at ``t = horizon``, one step after the last that
trains, as in torch's and Hugging Face's schedulers; from there on the rate stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from lrsearch.schedules.base import Schedule, parameter, register
from lrsearch.study_file.axes import Range


def _final() -> Any:
    return parameter(
        0.0, "rate at the end of the run, as a share of the initial one",
        search=Range(low=1e-3, high=0.2, log=True), minimum=0, maximum=1,
    )  # fmt: skip


@register
@dataclass(frozen=True)
class Cosine(Schedule):
    """The rate falls along half a cosine.

    ``factor(t) = final + (1 - final) * (1 + cos(pi * t / horizon)) / 2``. Source: Loshchilov and Hutter,
    "SGDR" (2017), without restarts. torch: `CosineAnnealingLR` with ``T_max = horizon``.
    """

    name = "cosine"
    unit = "batch"
    formula = "final + (1 - final) * (1 + cos(pi * t / horizon)) / 2"
    torch_class = "CosineAnnealingLR"
    aliases = ("CosineAnnealingLR", "cosine_with_min_lr")
    retired: ClassVar[dict[str, str]] = {
        "cosine_warmup_with_min_lr": 'write "cosine", whose last step is not yet at the least rate'
    }
    groups = ("modern",)

    final: float = _final()

    def shape(self, t: int, horizon: int) -> float:
        if t >= horizon:
            return self.final
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * t / horizon)) / 2

    def shape_code(self, lr: float, horizon: int) -> str:
        return (
            "scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(\n"
            f"    optimizer, T_max={horizon}, eta_min={lr * self.final!r}\n)"
        )


@register
@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Half a cosine again and again, each time from the initial rate.

    With ``x`` the share of the current cycle that is done::

        factor(t) = final + (1 - final) * (1 + cos(pi * x)) / 2

    Each cycle is `growth` times as long as the one before, and together they fill the horizon: a cycle may end between
    two steps, and the last ends at ``t = horizon``, from where `final` holds. Source: Loshchilov and Hutter, "SGDR"
    (2017); Hugging Face's `cosine_with_restarts` has equal cycles and a `final` of 0. torch's
    `CosineAnnealingWarmRestarts` counts cycles in whole steps and goes on restarting, so that the code is a `LambdaLR`.
    """

    name = "cosine_restarts"
    unit = "batch"
    formula = "final + (1 - final) * (1 + cos(pi * (share of the cycle))) / 2"
    torch_class = "LambdaLR"
    aliases = ("cosine_with_restarts",)
    retired: ClassVar[dict[str, str]] = {
        "CosineAnnealingWarmRestarts": 'write "cosine_restarts", whose `cycles` fill the run; T_0 need not'
    }
    groups = ("modern",)

    cycles: int = parameter(
        3, "number of cycles in the run", search=Range(low=2, high=6), minimum=1, maximum=100, integer=True
    )
    growth: int = parameter(
        1, "length of a cycle relative to the one before",
        search=Range(low=1, high=2), minimum=1, maximum=10, integer=True,
    )  # fmt: skip
    final: float = _final()

    def shape(self, t: int, horizon: int) -> float:
        if t >= horizon:
            return self.final
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * self._share(t, horizon))) / 2

    def _share(self, t: int, horizon: int) -> float:
        """Share of the current cycle that is done: whole numbers throughout, in units of 1 / parts of a step."""
        parts = sum(self.growth**i for i in range(self.cycles))
        since, length = t * parts, horizon
        if self.growth == 1:
            since %= length
        while since >= length:
            since -= length
            length *= self.growth
        return float(since / length)

    def shape_code(self, lr: float, horizon: int) -> str:
        parts = sum(self.growth**i for i in range(self.cycles))
        factor = f"{self.final!r} + {1 - self.final!r} * (1 + math.cos(math.pi * share)) / 2"
        if self.growth == 1:
            share = f"    share = step * {parts} % {horizon} / {horizon}\n"
        else:
            share = (
                f"    since, length = step * {parts}, {horizon}\n"
                "    while since >= length:\n"
                f"        since, length = since - length, length * {self.growth}\n"
                "    share = since / length\n"
            )
        return (
            "import math\n\ndef factor(step):\n"
            f"    if step >= {horizon}:\n        return {self.final!r}\n{share}    return {factor}\n\n"
            "scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)"
        )


@register
@dataclass(frozen=True)
class Linear(Schedule):
    """The rate falls along a straight line.

    ``factor(t) = final + (1 - final) * (1 - t / horizon)``. Source: Hugging Face's `linear`, which goes to 0;
    Bergsma et al., "Straight to Zero" (2025). torch: `LinearLR` from factor 1.
    """

    name = "linear"
    unit = "batch"
    formula = "final + (1 - final) * (1 - t / horizon)"
    torch_class = "LinearLR"
    aliases = ("LinearLR",)
    groups = ("modern",)

    final: float = _final()

    def shape(self, t: int, horizon: int) -> float:
        return self.final + (1 - self.final) * max(horizon - t, 0) / horizon

    def shape_code(self, lr: float, horizon: int) -> str:
        return (
            "scheduler = torch.optim.lr_scheduler.LinearLR(\n"
            f"    optimizer, start_factor=1.0, end_factor={self.final!r}, total_iters={horizon}\n)"
        )


@register
@dataclass(frozen=True)
class Polynomial(Schedule):
    """The rate falls along a power of the share of the run that is left.

    ``factor(t) = final + (1 - final) * (1 - t / horizon) ** exponent``. Source: torch's `PolynomialLR` and
    Hugging Face's `polynomial`, whose `power` is our `exponent`. `PolynomialLR` always falls to 0; with
    another `final` the code is a `LambdaLR`.
    """

    name = "polynomial"
    unit = "batch"
    formula = "final + (1 - final) * (1 - t / horizon)^exponent"
    torch_class = "PolynomialLR"
    aliases = ("PolynomialLR",)
    groups = ("modern",)

    exponent: float = parameter(
        2.0, "1 is a line; more falls early, less falls late",
        search=Range(low=0.5, high=4.0, log=True), above=0, maximum=100,
    )  # fmt: skip
    final: float = _final()

    def shape(self, t: int, horizon: int) -> float:
        left = max(horizon - t, 0) / horizon
        return float(self.final + (1 - self.final) * left**self.exponent)

    def shape_code(self, lr: float, horizon: int) -> str:
        if self.final == 0:
            return (
                "scheduler = torch.optim.lr_scheduler.PolynomialLR(\n"
                f"    optimizer, total_iters={horizon}, power={self.exponent!r}\n)"
            )
        return (
            "scheduler = torch.optim.lr_scheduler.LambdaLR(\n"
            f"    optimizer, lambda step: {self.final!r} + {1 - self.final!r}"
            f" * (max({horizon} - step, 0) / {horizon}) ** {self.exponent!r}\n)"
        )


@register
@dataclass(frozen=True)
class WarmupStableDecay(Schedule):
    """The rate stays, and falls along a straight line at the end; usually after a warm-up.

    With ``d = decay_fraction * horizon`` in whole batches, at least 1::

        factor(t) = 1                                           while t < horizon - d
                    final + (1 - final) * (horizon - t) / d     afterwards

    Source: Hu et al., "MiniCPM" (2024); Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond
    Fixed Training Durations" (2024); Hugging Face's `warmup_stable_decay`. The warm-up is `warmup_fraction`.
    """

    name = "wsd"
    unit = "batch"
    formula = "1, then final + (1 - final) * (horizon - t) / (decay_fraction * horizon)"
    torch_class = "LambdaLR"
    retired: ClassVar[dict[str, str]] = {
        "warmup_stable_decay": 'write "wsd", which decays along a line; that one does along a cosine by default'
    }
    groups = ("modern",)

    decay_fraction: float = parameter(
        0.2, "share of the run that decays, at its end", search=Range(low=0.05, high=0.6), above=0, maximum=1
    )
    final: float = _final()

    def shape(self, t: int, horizon: int) -> float:
        decay = self._decay_steps(horizon)
        return self.final + (1 - self.final) * min(max(horizon - t, 0) / decay, 1.0)

    def shape_code(self, lr: float, horizon: int) -> str:
        fall = f"min(max({horizon} - step, 0) / {self._decay_steps(horizon)}, 1.0)"
        if self.final:
            fall = f"{self.final!r} + {1 - self.final!r} * {fall}"
        return f"scheduler = torch.optim.lr_scheduler.LambdaLR(\n    optimizer, lambda step: {fall}\n)"

    def _decay_steps(self, horizon: int) -> int:
        return max(1, round(self.decay_fraction * horizon))


@register
@dataclass(frozen=True)
class InverseSqrt(Schedule):
    """The rate falls with the square root of the steps; usually after a warm-up.

    ``factor(t) = (1 + t / s) ** -0.5`` with ``s = scale * horizon``. Source: Vaswani et al., "Attention Is
    All You Need" (2017), where s is the length of the warm-up; Hugging Face's `inverse_sqrt`, whose
    `timescale` is s.
    """

    name = "inverse_sqrt"
    unit = "batch"
    formula = "(1 + t / (scale * horizon))^-0.5"
    torch_class = "LambdaLR"
    groups = ("modern",)

    scale: float = parameter(
        0.05, "share of the run after which the fall sets in",
        search=Range(low=0.002, high=0.5, log=True), minimum=1e-9,
    )  # fmt: skip

    def shape(self, t: int, horizon: int) -> float:
        return float((1 + t / (self.scale * horizon)) ** -0.5)

    def shape_code(self, lr: float, horizon: int) -> str:
        return (
            "scheduler = torch.optim.lr_scheduler.LambdaLR(\n"
            f"    optimizer, lambda step: (1 + step / {self.scale * horizon!r}) ** -0.5\n)"
        )
