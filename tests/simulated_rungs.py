"""Rungs of short runs whose best rates are known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lrsearch.study.scaling.valley import Rung

RUNGS, TO = (15.0, 30.0, 60.0), 240.0
Optimum = Callable[[float], float]


def parabola(
    at: float,
    optimum: float,
    rng: np.random.Generator,
    *,
    noise: float = 0.03,
    seeds: int = 5,
    steep: float = 0.15,
) -> Rung:
    """A ladder of nine rates in factors of two, somewhere around the optimum."""
    centre = math.log(2) * round(optimum / math.log(2) + rng.uniform(-1, 1))
    places = centre + math.log(2) * np.arange(-4, 5)
    means = np.exp(steep * (places - optimum) ** 2)
    luck = rng.normal(0, 0.1, (1, seeds)) + rng.normal(0, noise, (len(places), seeds))
    return Rung(at, np.exp(places), means[:, None] * np.exp(luck))


def power(slope: float, rate: float = 0.03) -> Optimum:
    """The log optimum of a power law that is `rate` on the longest rung."""
    return lambda at: math.log(rate) + slope * math.log(at / RUNGS[-1])
