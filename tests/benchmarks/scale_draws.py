"""Short runs as `lrsearch scale` would train them, from what `scale_bank.py` has trained.

Serves `scale_cases.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scale_bank import RUNGS, SEEDS, Bank, Case

from lrsearch.study.scaling import prior
from lrsearch.study.scaling.plan import around, best_rate, refined
from lrsearch.study.scaling.valley import Rung, height, lowest, mean

KNOWN = (0.5, 2**-0.5, 1.0, 2**0.5, 2.0)
"""How far the rate that a study has found may be from the best one."""


def optimum(rung: Rung) -> float:
    """Log of the best rate, by a parabola through the means of all rates.

    Args:
        rung: A horizon with all of its rates.
    """
    return float(lowest(rung.rates, height(rung.means)[None])[0])


def whole(case: Case, at: float, values: NDArray[np.float64]) -> Rung:
    """A horizon with every rate of the bank.

    Args:
        case: Which.
        at: The horizon.
        values: [rate, seed].
    """
    return Rung(float(at), np.array(case.rates), values)


def drawn(
    case: Case,
    bank: Bank,
    seeds: int,
    rng: np.random.Generator,
    places: Sequence[float] = RUNGS,
    slope: float = prior.EPOCHS.slope,
) -> list[Rung]:
    """The rungs of one study: so many seeds, a ladder around a rate that is known roughly, refined as the command does.

    Args:
        case: Which.
        bank: What was trained.
        seeds: How many of the bank's seeds.
        rng: Draws the seeds, and how far the known rate is from the best one.
        places: Of the rungs.
        slope: Of the prior that places the ladders.
    """
    picked = rng.choice(len(SEEDS), seeds, replace=False)
    known = places[-1], float(np.exp(optimum(whole(case, places[-1], bank.short[-1]))) * rng.choice(KNOWN))
    rungs: list[Rung] = []
    for at, own in zip(places, bank.short, strict=True):
        rungs.append(_trained(case, at, own[:, picked], around(known, at, slope)))
        known = at, best_rate(rungs[-1]) or known[1]
    return rungs


def _trained(case: Case, at: float, values: NDArray[np.float64], ladder: Sequence[float]) -> Rung:
    wanted, there = ladder, set[int]()
    rung = Rung(float(at), np.array([]), np.empty((0, values.shape[1])))
    while new := {_place(case, rate) for rate in wanted} - there:
        there |= new
        places = sorted(there)
        rung = Rung(float(at), np.array(case.rates)[places], values[places])
        wanted = refined(rung, len(ladder))
    return rung


def _place(case: Case, rate: float) -> int:
    """The bank's rate that is nearest."""
    return int(np.argmin(np.abs(np.log(np.array(case.rates) / rate))))


def judged(case: Case, values: NDArray[np.float64], lr: float) -> float:
    """How much worse the target is at a rate than at the best one; a rate that diverges counts as the worst finite.

    Args:
        case: Which.
        values: Of the target; [rate, judge].
        lr: The rate.
    """
    heights = height(mean(values))
    finite = np.where(np.isfinite(heights), heights, np.nanmax(heights[np.isfinite(heights)]))
    at = float(np.interp(np.log(lr), np.log(case.rates), finite))
    return float(np.exp(at - heights.min()) - 1)
