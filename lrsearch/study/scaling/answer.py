"""What the rungs of one scheduler type say about the target: follow the line, keep the rate, or refuse to guess."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from lrsearch.study.scaling.basins import Basins, torn, two_basins
from lrsearch.study.scaling.law import Law, Limits, Z, fit
from lrsearch.study.scaling.prior import Prior
from lrsearch.study.scaling.valley import Rung, Valley, height, unit, valleys

Verdict = Literal["follow", "keep", "refuse"]
AT_EDGE = 0.25
"""Share of resamples with the best rate at an end of those tried, from which on the valley is not seen."""
SURE_BEND = 0.975
"""Quantile of Student's distribution beyond which a bend is sure: its standard error is from as few seeds as that."""
COSTLY = 0.03
"""A rate that costs at most this share of the value on average may be used, however wide its interval: what is flat
needs no narrow one."""
SHARE = 0.2
"""A rate may cost more if that is at most this share of what no answer would cost: who gets none keeps the rate of the
longest rung."""
STILL = float(np.log(1.5))
"""The line must move the rate by at least this factor to be followed where no slope is possible, too."""
WIDEST = 30.0
"""An interval wider than this factor is more than the rungs have seen of a valley, however flat."""
CLIFF = float(np.log(2))
"""A line that leads up to a rate which is so much worse than the best of the longest rung is not followed: there may be
a cliff, and over one a rate costs several times the value."""
MOST_SEEDS = 30
"""A reason to refuse names no more seeds than this: a longer rung costs less then."""
FEWEST_RUNGS, FEWEST_RATES = 2, 3
FEWEST_SEEDS = 4
"""With 3, resamples of the seeds vary too little: intervals held the best rate in 85 % of cases."""


@dataclass(frozen=True)
class Prediction:
    """A rate for the target.

    Attributes:
        lr: The rate.
        interval: 95 % interval of the best rate there.
    """

    lr: float
    interval: Limits


class Costs(NamedTuple):
    """What a rate is expected to cost at the target, by the valley of the rungs; shares of the value.

    Attributes:
        guess: Of the line's rate, for what is not known of it.
        keeping: Of the longest rung's rate.
    """

    guess: float
    keeping: float

    @property
    def accepted(self) -> float:
        """What the line's rate may cost."""
        return max(COSTLY, SHARE * self.keeping)


@dataclass(frozen=True)
class TypeAnswer:
    """What is known of one scheduler type.

    Attributes:
        scheduler: The type.
        axis: What grows.
        to: The target.
        rungs: What was run, shortest first.
        valleys: The lowest point of each rung; empty where none could be found.
        law: The line through them; None where there is none.
        verdict: What to do.
        reason: Why, and for a refusal what would help.
        prediction: None for a refusal.
    """

    scheduler: str
    axis: str
    to: float
    rungs: tuple[Rung, ...]
    valleys: tuple[Valley, ...]
    law: Law | None
    verdict: Verdict
    reason: str
    prediction: Prediction | None

    @property
    def costs(self) -> Costs | None:
        """What a rate is expected to cost at the target; None where there is no line."""
        return None if self.law is None else _costs(self.law, self.valleys[-1], self.to)

    def document(self) -> dict[str, Any]:
        """The entry of ``by_type``."""
        sides = [] if self.law is None else list(self.law.sides)
        optima = [
            {
                "at": own.rung.at,
                "lr": _rate(own.optimum),
                "interval": [_rate(own.optimum - by), _rate(own.optimum + by)],
            }
            for own, by in zip(self.valleys, sides, strict=True)
        ]
        return {
            "scheduler": self.scheduler,
            "optima": optima,
            "slope": self.law and self.law.slope,
            "slope_interval": self.law and list(self.law.slope_interval),
            "verdict": self.verdict,
            "reason": self.reason,
            "prediction": self.prediction and {"lr": self.prediction.lr, "interval": list(self.prediction.interval)},
        }


def answer(scheduler: str, rungs: Sequence[Rung], axis: str, to: float, prior: Prior) -> TypeAnswer:
    """What the rungs of a type say.

    Args:
        scheduler: The type.
        rungs: In any order.
        axis: What grows.
        to: The target.
        prior: What other tasks say about the slope.
    """
    ordered = tuple(sorted(rungs, key=lambda rung: rung.at))
    refused = TypeAnswer(scheduler, axis, to, ordered, (), None, "refuse", "", None)
    if missing := _too_little(ordered, axis):
        return replace(refused, reason=missing)
    found = valleys(ordered)
    law = fit(found, to, prior)
    seen = replace(refused, valleys=found, law=law)
    if (reason := _unseen(found, axis) or _untrusted(found, law, to, axis)) is not None:
        return replace(seen, reason=reason)
    return _predicted(seen, law, found[-1])


def _too_little(rungs: Sequence[Rung], axis: str) -> str | None:
    """What is missing before anything can be fitted."""
    if len(rungs) < FEWEST_RUNGS:
        return f"there are runs at one {axis} only; a line needs {FEWEST_RUNGS}, and a bend shows with 3"
    for rung in rungs:
        converged = int(np.isfinite(rung.means).sum())
        if converged < FEWEST_RATES:
            return (
                f"at {axis} {rung.at:g} only {converged} rates came to a finite value on every seed; a valley needs "
                f"{FEWEST_RATES}: add lower rates"
            )
        if rung.seeds < FEWEST_SEEDS:
            return (
                f"at {axis} {rung.at:g} there are {rung.seeds} seeds, which do not tell how far seeds move the best "
                f"rate: add {FEWEST_SEEDS - rung.seeds}"
            )
    return None


def _unseen(found: Sequence[Valley], axis: str) -> str | None:
    """Why a lowest point is none: the rates end before it, or the longest rung has two."""
    for own in found:
        if own.edge > AT_EDGE:
            rates, words = own.rung.rates, "lowest" if own.low_edge else "highest"
            end = rates[0] if own.low_edge else rates[-1]
            side = f"below {end:.3g}" if own.low_edge else f"above {end:.3g}"
            return f"at {axis} {own.rung.at:g} the best rate is the {words} that was tried: add rates {side} there"
    # On shorter rungs a second valley may compete that the longest one has left behind.
    basins = two_basins(found[-1].rung) or torn(found[-1])
    return None if basins is None else _two(basins, axis)


def _two(basins: Basins, axis: str) -> str:
    return (
        f"at {axis} {basins.at:g} there are two valleys, near {basins.lower:.2g} and {basins.upper:.2g}, and which is "
        f"the deeper at the target is open: add a longer rung, or try both rates at the target"
    )


def _untrusted(found: Sequence[Valley], law: Law, to: float, axis: str) -> str | None:
    """Why the line through the lowest points should not be followed as far as the target."""
    from scipy.special import stdtrit  # a quarter of a second that a report without short runs need not wait for

    seeds = min(own.rung.seeds for own in found)
    if abs(law.bend) > stdtrit(max(seeds - 1, 1), SURE_BEND) and law.loss(law.bent) > COSTLY:
        away = np.exp(abs(law.bent))
        times = f"{away:.1f}" if away <= WIDEST else f"more than {WIDEST:g}"
        return (
            f"the best rates do not lie on a line ({abs(law.bend):.1f} standard errors off), and a bent one would be "
            f"{times} times away at the target: add a rung between {law.reference:g} and {to:g}"
        )
    if (cliff := _over_a_cliff(found[-1], law, to, axis)) is not None:
        return cliff
    low, high = law.interval(to)
    costs = _costs(law, found[-1], to)
    if law.curvature > 0 and costs.guess <= costs.accepted and high / low <= WIDEST:
        return None
    told = ""
    if costs.guess > costs.accepted:
        told = (
            f", and a guess would cost {_percent(costs.guess)} on average, keeping the rate of {axis} "
            f"{law.reference:g} about {_percent(costs.keeping)}"
        )
    return f"the best rate at {axis} {to:g} may be anything from {low:.2g} to {high:.2g}{told}: {_more(law, found, to)}"


def _over_a_cliff(longest: Valley, law: Law, to: float, axis: str) -> str | None:
    """Why a line should not be followed upwards: below the target its rate does much harm already."""
    place, rung = law.place(to), longest.rung
    heights = height(rung.means)
    finite = np.isfinite(heights)
    # A rate that diverged is as high as anything.
    above = np.where(finite, (heights - heights.min()) / unit(rung.means), 1e3)
    if place <= longest.optimum or np.interp(place, np.log(rung.rates), above) < CLIFF:
        return None
    return (
        f"the line leads up to {_rate(place):.2g}, a rate that does much harm at {axis} {rung.at:g} already: add a "
        f"rung nearer to {to:g}"
    )


def _costs(law: Law, longest: Valley, to: float) -> Costs:
    spread, moved = law.spread(to), law.place(to) - longest.optimum
    return Costs(law.loss(spread), law.loss(float(np.hypot(moved, spread))))


def _more(law: Law, found: Sequence[Valley], to: float) -> str:
    """What would help: seeds, where they are what is missing, else a longer rung."""
    seeds, stray = min(own.rung.seeds for own in found), law.stray(to) ** 2
    moved = law.place(to) - found[-1].optimum
    flat = COSTLY / law.curvature if law.curvature > 0 else np.inf
    # The variance at which a guess costs SHARE of what keeping does, which it is a part of.
    allowed = min(max(flat, SHARE / (1 - SHARE) * moved**2), (np.log(WIDEST) / (2 * Z)) ** 2) - stray
    if allowed > 0:
        enough = math.ceil(seeds * (law.spread(to) ** 2 - stray) / allowed)
        if enough <= MOST_SEEDS:
            return f"about {max(enough, seeds + 1)} seeds instead of {seeds} may be enough"
    return f"the target is {to / law.reference:.3g} times the longest rung, which is far: add a rung nearer to it"


def _predicted(seen: TypeAnswer, law: Law, longest: Valley) -> TypeAnswer:
    """Follow the line, or keep the rate where it need not move."""
    low, high = law.slope_interval
    moved = law.place(seen.to) - longest.optimum
    interval = law.interval(seen.to)
    lost = _uncertain(seen, law, _costs(law, longest, seen.to))
    if low <= 0 <= high and abs(moved) < STILL:
        lr = _rate(longest.optimum)
        reason = f"the best rate does not move (slope {law.slope:.2f}, 95 % {low:.2f} to {high:.2f}); {lost}"
        held = min(interval[0], lr), max(interval[1], lr)
        return replace(seen, verdict="keep", reason=reason, prediction=Prediction(lr, held))
    reason = (
        f"the best rate goes as {seen.axis} to the power {law.slope:.2f} (95 % {low:.2f} to {high:.2f}), "
        f"{np.exp(abs(moved)):.2g} times {'lower' if moved < 0 else 'higher'} than at {law.reference:g}; {lost}"
    )
    return replace(seen, verdict="follow", reason=reason, prediction=Prediction(_rate(law.place(seen.to)), interval))


def _uncertain(seen: TypeAnswer, law: Law, costs: Costs) -> str:
    """What following costs, and where that is much, why it is accepted."""
    if costs.guess <= COSTLY:
        return f"what is not known of it costs about {_percent(costs.guess)} on average"
    return (
        f"the rate at {seen.axis} {seen.to:g} is uncertain; it may cost {_percent(costs.guess)}, but keeping the rate "
        f"of {seen.axis} {law.reference:g} would cost about {_percent(costs.keeping)}"
    )


def _percent(share: float) -> str:
    """Such as 0.3 %, 5 %, 35 % or 120 %: what is expected is known no better."""
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.1g} %"


def _rate(place: float) -> float:
    return float(np.exp(place))
