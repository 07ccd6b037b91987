"""How wrong a rate may be: what the recommended settings come to with other rates. No torch, no words.

Each rate is compared with the recommended one, seed by seed. Going outwards from that, the range ends before the first
rate that is not shown to be within the margin; so each end is wrong in at most 2.5 of 100 cases, however many rates
there are. A rate that is not decided never widens it: fewer seeds make a valley narrower, or leave it as it is.

Source for tests in a fixed order that need no correction: Maurer, Hothorn and Lehmacher, "Multiple comparisons in drug
clinical trials and preclinical assays: a-priori ordered hypotheses" (1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Any

import numpy as np

from lrsearch.study import crossed
from lrsearch.study.contender import Contender
from lrsearch.study.evidence import Evidence
from lrsearch.study.flanks import without_rate

FEWEST_SEEDS = 2
"""Below it there is no interval."""


class Standing(StrEnum):
    """What is known of a rate beside the recommended one."""

    WITHIN = "within"
    """Shown to be worse by no more than the margin."""
    OUTSIDE = "outside"
    """Shown to be worse by more than the margin."""
    OPEN = "open"
    """Neither."""
    LOST = "lost"
    """It diverged or failed on one of its seeds."""


@dataclass(frozen=True)
class OtherRate:
    """The recommended settings with another rate.

    Attributes:
        lr: The rate.
        seeds: Seeds that both were trained on.
        lost: On how many seeds it diverged or failed.
        difference: By how much it is worse, in the metric's unit, whatever the direction; None where seeds were lost.
        interval: Its 95 % interval; None where `difference` is.
        standing: What that shows.
    """

    lr: float
    seeds: int
    lost: int
    difference: float | None
    interval: tuple[float, float] | None
    standing: Standing


@dataclass(frozen=True)
class RateValley:
    """The recommended rate and those beside it.

    Attributes:
        lr: The recommended rate.
        value: What it came to.
        margin: A difference that does not matter, in the metric's unit.
        low: Lowest rate of the range that is shown to be within the margin; the recommended one if none is.
        high: Highest rate of that range.
        rates: The others, lowest rate first.
    """

    lr: float
    value: float
    margin: float
    low: float
    high: float
    rates: tuple[OtherRate, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> RateValley:
        """A valley as JSON gives it back."""
        rates = [
            OtherRate(**{
                **one,
                "interval": one["interval"] and tuple(one["interval"]),
                "standing": Standing(one["standing"]),
            })
            for one in document["rates"]
        ]  # fmt: skip
        return cls(**{**document, "rates": tuple(rates)})

    def beside(self, factor: float) -> OtherRate | None:
        """The rate that is so many times the recommended one, to 1 %; None if it was not trained.

        Args:
            factor: Such as 0.5.
        """
        return next((one for one in self.rates if abs(one.lr / (factor * self.lr) - 1) < 0.01), None)


def rate_valley(evidence: Evidence) -> RateValley | None:
    """The valley that a confirmation shows.

    Args:
        evidence: Of a confirmation that may not be finished.

    Returns:
        The valley; None where no rates beside the recommended one were trained.
    """
    if not evidence.beside or not evidence.complete or evidence.recommended.has_other_optimizer:
        return None
    chosen = evidence.recommended
    found = [_other(one, chosen, evidence) for one in _alike(chosen, evidence)]
    rates = sorted((one for one in found if one is not None), key=lambda one: one.lr)
    if not rates:
        return None
    lr = float(chosen.params[evidence.rate_name(chosen.params)])
    below = [one for one in reversed(rates) if one.lr < lr]
    above = [one for one in rates if one.lr > lr]
    return RateValley(
        lr, chosen.mean, evidence.margin_used, _last_within(below, lr), _last_within(above, lr), tuple(rates)
    )


def _last_within(outwards: Sequence[OtherRate], lr: float) -> float:
    within = [one.lr for one in takewhile(lambda one: one.standing is Standing.WITHIN, outwards)]
    return within[-1] if within else lr


def _alike(chosen: Contender, evidence: Evidence) -> list[Contender]:
    """The same settings with other rates, each once: where a finalist is a flank, too, the one with more seeds."""
    name = evidence.rate_name(chosen.params)
    own, rate = without_rate(chosen.params, name), chosen.params.get(name)
    found: dict[float, Contender] = {}
    for one in (*evidence.beside, *evidence.contenders):
        lr = one.params.get(name)
        if lr is None or lr == rate or without_rate(one.params, name) != own:
            continue
        if lr not in found or found[lr].trained < one.trained:
            found[lr] = one
    return list(found.values())


def _other(other: Contender, chosen: Contender, evidence: Evidence) -> OtherRate | None:
    lr, lost = float(other.params[evidence.rate_name(other.params)]), other.diverged + other.failed
    shared = np.isfinite(other.values) & np.isfinite(chosen.values)
    seeds = int(shared.sum())
    if lost:
        return OtherRate(lr, seeds + lost, lost, None, None, Standing.LOST)
    if seeds < FEWEST_SEEDS:
        return None
    # Rows are blocks of the same size in both, or one block: all runs of a confirmation are scored alike.
    behind = crossed.around(crossed.estimate(evidence.sign * (other.cells[shared] - chosen.cells[shared])))
    limits = (behind.low, behind.high)
    return OtherRate(lr, seeds, 0, behind.mean, limits, _standing(limits, evidence.margin_used))


def _standing(limits: tuple[float, float], margin: float) -> Standing:
    if limits[1] <= margin:
        return Standing.WITHIN
    return Standing.OUTSIDE if limits[0] > margin else Standing.OPEN
