"""Families in which the rate rises as well as falls."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lrsearch.schedules.base import Schedule, parameter, register
from lrsearch.study_file.axes import Range


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
        0.04,
        "first rate, as a share of the peak",
        search=Range(low=0.01, high=0.5, log=True),
        above=0,
        maximum=1,
    )
    final: float = parameter(
        0.001,
        "last rate, as a share of the peak",
        search=Range(low=1e-4, high=0.1, log=True),
        above=0,
        maximum=1,
    )

    def factor(self, t: int, horizon: int) -> float:
        peak, last = self.warmup_fraction * horizon - 1, horizon - 1
        if t >= last:
            return self.final
        if t <= peak and peak > 0:
            return _cosine(self.start, 1.0, t / peak)
        return _cosine(1.0, self.final, (t - peak) / (last - peak))

    def code(self, lr: float, horizon: int) -> str:
        rise = self.warmup_fraction
        if rise * horizon == 1.0:
            rise = math.nextafter(rise, 0.0)  # torch divides by the length of the rise, which is 0 here
        return (
            "scheduler = torch.optim.lr_scheduler.OneCycleLR(\n"
            f"    optimizer, max_lr={lr!r}, total_steps={horizon}, pct_start={rise!r},\n"
            f"    div_factor={1 / self.start!r}, final_div_factor={self.start / self.final!r},\n"
            "    cycle_momentum=False,\n"
            ")\n" + self.step_comment()
        )


def _cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
