"""Runs that exist already, for `own_tuners.py`: which setting do they recommend, and what does it come to?"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np

from lrsearch.study.judged import Run, judge

ROUNDS, DRAWS = 3, 50
Seeds = Mapping[int, list[int]]
"""Place of a rate -> the seeds that it was trained on."""


class Bank:
    """Values of rates on seeds, from which runs are drawn.

    Args:
        rates: The settings.
        epochs: What a run costs.
    """

    seeds = 20

    def __init__(self, rates: Sequence[float], epochs: int) -> None:
        self.rates, self._epochs = list(rates), epochs
        self._values, self._holdout = np.zeros((len(rates), self.seeds)), np.zeros((len(rates), self.seeds))

    def add(self, place: int, seed: int, value: float, holdout: float) -> None:
        """Note a run: its test error, and that on rows that nobody looks at."""
        self._values[place, seed], self._holdout[place, seed] = value, holdout

    def picked(self, rng: random.Random) -> dict[str, tuple[float, float]]:
        """Way to pick -> epochs of further runs, and the mean holdout error of what is picked; over `DRAWS` draws."""
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(DRAWS):
            there = {place: rng.sample(range(self.seeds), rng.choice([1, 1, 2, 3, 5])) for place in range(12)}
            more = self._asked_for(there)
            number = _count(more) - _count(there)
            for name, further, place in (
                ("lrsearch judge", 0, self._judged(there)),
                ("the lowest mean", 0, self._lowest(there)),
                ("lrsearch judge and the runs it asks for", number, self._judged(more)),
                ("the lowest mean of as many, spread evenly", number, self._lowest(self._spread(there, number))),
            ):
                found.setdefault(name, []).append((further * self._epochs, float(self._holdout[place].mean())))
        return {name: (float(np.mean(own, axis=0)[0]), float(np.mean(own, axis=0)[1])) for name, own in found.items()}

    def _asked_for(self, there: Seeds) -> Seeds:
        more = dict(there)
        for _ in range(ROUNDS):
            for wanted in judge(self._runs(more), "bank", "mse").wanted:
                place = int(wanted.params["place"])
                more[place] = [*more[place], *self._left(more, place)[: wanted.seeds]]
        return more

    def _spread(self, there: Seeds, number: int) -> Seeds:
        more = dict(there)
        for _ in range(number):
            place = min(more, key=lambda own: len(more[own]))
            more[place] = [*more[place], self._left(more, place)[0]]
        return more

    def _left(self, seeds: Seeds, place: int) -> list[int]:
        return [seed for seed in range(self.seeds) if seed not in seeds[place]]

    def _runs(self, seeds: Seeds) -> list[Run]:
        return [Run({"place": place}, seed, self._values[place, seed]) for place, own in seeds.items() for seed in own]

    def _judged(self, seeds: Seeds) -> int:
        recommended = judge(self._runs(seeds), "bank", "mse").recommended
        assert recommended is not None
        return int(recommended.params["place"])

    def _lowest(self, seeds: Seeds) -> int:
        return min(seeds, key=lambda place: float(np.mean(self._values[place, seeds[place]])))


def _count(seeds: Seeds) -> int:
    return sum(map(len, seeds.values()))
