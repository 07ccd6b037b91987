"""Families in which the rate rises as well as falls."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lrsearch.schedules.base import Schedule, parameter, register
from lrsearch.study_file.axes import Range


@register
@dataclass(frozen=True)
class Cyclic(Schedule):
    """Equal triangles between a floor and the peak, whose height may shrink from cycle to cycle.

    With ``c`` the number of cycles completed and ``x`` in 0..1 the place in the current one, each spanning
    ``horizon / cycles`` batches::

        factor(t) = floor + (1 - floor) * shrink ** c * (1 - |2 * x - 1|)

    The study's `lr` is the peak of the first cycle. Source: Smith, "Cyclical Learning Rates for Training
    Neural Networks" (2017). torch: `CyclicLR` with ``cycle_momentum=False``, mode ``triangular`` where
    nothing shrinks, ``triangular2`` where the height is halved, and a `scale_fn` otherwise.
    """

    name = "cyclic"
    unit = "batch"
    formula = "floor + (1 - floor) * shrink^(cycles completed) * triangle"
    torch_class = "CyclicLR"
    aliases = ("CyclicLR",)
    groups = ("classical",)

    cycles: int = parameter(
        4, "number of triangles in the run",
        search=Range(low=1, high=8), minimum=1, maximum=1000, integer=True,
    )  # fmt: skip
    floor: float = parameter(
        0.1, "lowest rate, as a share of the peak",
        search=Range(low=0.01, high=0.5, log=True), minimum=0, maximum=1,
    )  # fmt: skip
    shrink: float = parameter(
        1.0, "share of the height kept from cycle to cycle",
        search=Range(low=0.25, high=1.0), above=0, maximum=1,
    )  # fmt: skip

    def shape(self, t: int, horizon: int) -> float:
        # CyclicLR's own arithmetic, operation by operation: near a floor of 0 any other rounding would show.
        length = horizon / self.cycles
        cycle = math.floor(1 + t / length)
        place = 1.0 + t / length - cycle
        height = place / 0.5 if place <= 0.5 else (place - 1) / (0.5 - 1)
        return float(self.floor + (1 - self.floor) * height * self.shrink ** (cycle - 1))

    def shape_code(self, lr: float, horizon: int) -> str:
        half = horizon / self.cycles / 2
        size = repr(int(half) if half.is_integer() else half)
        named = {1.0: 'mode="triangular"', 0.5: 'mode="triangular2"'}
        mode = named.get(self.shrink, f"scale_fn=lambda cycle: {self.shrink!r} ** (cycle - 1)")
        return (
            "scheduler = torch.optim.lr_scheduler.CyclicLR(\n"
            f"    optimizer, base_lr={lr * self.floor!r}, max_lr={lr!r}, step_size_up={size},\n"
            f"    {mode}, cycle_momentum=False,\n"
            ")"
        )


@register
@dataclass(frozen=True)
class OneCycle(Schedule):
    """One rise to the peak and one long fall, both along half a cosine.

    With ``p = warmup_fraction * horizon - 1`` the last step of the rise, ``l = horizon - 1`` the last of all,
    and ``cosine(a, b, x) = b + (a - b) * (1 + cos(pi * x)) / 2``::

        factor(t) = cosine(start, 1, t / p)                 while t <= p
                    cosine(1, final, (t - p) / (l - p))     afterwards

    The study's `lr` is the peak. Source: Smith and Topin, "Super-Convergence" (2018), in the two-phase cosine
    form of torch's `OneCycleLR`, with ``cycle_momentum=False``.
    """

    name = "one_cycle"
    unit = "batch"
    formula = "cosine from start up to 1 in warmup_fraction of the run, then down to final"
    torch_class = "OneCycleLR"
    aliases = ("OneCycleLR",)
    groups = ("modern",)

    warmup_fraction: float = parameter(
        0.3, "share of the run that rises", search=Range(low=0.05, high=0.5), above=0, below=1
    )
    start: float = parameter(
        0.04, "first rate, as a share of the peak",
        search=Range(low=0.01, high=0.5, log=True), above=0, maximum=1,
    )  # fmt: skip
    final: float = parameter(
        0.001, "last rate, as a share of the peak",
        search=Range(low=1e-4, high=0.1, log=True), above=0, maximum=1,
    )  # fmt: skip

    def warmup_steps(self, horizon: int) -> int:  # noqa: ARG002
        # The rise is part of the shape, so no second one precedes it.
        return 0

    def shape(self, t: int, horizon: int) -> float:
        peak, last = self.warmup_fraction * horizon - 1, horizon - 1
        if t >= last:
            return self.final
        if t <= peak and peak > 0:
            return _cosine(self.start, 1.0, t / peak)
        return _cosine(1.0, self.final, (t - peak) / (last - peak))

    def shape_code(self, lr: float, horizon: int) -> str:
        rise = self.warmup_fraction
        while rise * horizon == 1.0:
            rise = math.nextafter(rise, 0.0)  # torch divides by the length of the rise, which is 0 here
        return (
            "scheduler = torch.optim.lr_scheduler.OneCycleLR(\n"
            f"    optimizer, max_lr={lr!r}, total_steps={horizon}, pct_start={rise!r},\n"
            f"    div_factor={1 / self.start!r}, final_div_factor={self.start / self.final!r},\n"
            "    cycle_momentum=False,\n"
            ")"
        )


def _cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
