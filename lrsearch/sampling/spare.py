"""Other settings for trials that were proposed what another trial has: equal settings train the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution

from lrsearch.sampling import cells
from lrsearch.sampling.proposer import at
from lrsearch.sampling.space import Space, within
from lrsearch.storage.past_trials import PastTrial
from lrsearch.storage.store import Chosen, settings_key

DRAWS = 50
"""So often other settings are drawn before those that are left are counted out."""


class Spare:
    """Finds settings that no trial has.

    Args:
        space: What is searched.
        seed: The study's seed.
    """

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed
        self.is_needed = cells.repeats(space)
        """Whether settings can be proposed twice at all."""

    def differing(
        self,
        chosen: Mapping[int, Chosen],
        fixed: Mapping[int, Mapping[str, Any]],
        drawn: Collection[int],
        others: Iterable[PastTrial],
    ) -> tuple[dict[int, Chosen], set[int]]:
        """The settings of trials, with others for those that repeat a trial.

        Args:
            chosen: Trial numbers -> what was proposed.
            fixed: The same numbers -> what a person fixed of it, which stays.
            drawn: Those whose settings were not fixed wholly.
            others: All other trials.

        Returns:
            Trial numbers -> settings; and the numbers of those that have settings which no other trial has. Where all
            are taken, a trial repeats one.
        """
        taken = {settings_key(trial.params) for trial in others if isinstance(trial.params, Mapping)}
        taken |= {settings_key(own.params) for number, own in chosen.items() if number not in drawn}
        found, once = dict(chosen), set()
        for number in sorted(drawn):
            for own in self._candidates(number, chosen[number], fixed[number]):
                if (key := settings_key(own.params)) not in taken:
                    taken.add(key)
                    found[number] = own
                    once.add(number)
                    break
        return found, once

    def _candidates(self, number: int, proposed: Chosen, fixed: Mapping[str, Any]) -> Iterator[Chosen]:
        yield proposed
        rng = np.random.default_rng([self._seed, number, DRAWS])
        for _ in range(DRAWS):
            yield self._space.settle(fixed, partial(_drawn, rng))
        left = [own for own in cells.cells(self._space) if _agrees(own, fixed)]
        for place in rng.permutation(len(left)):
            yield self._space.settle({**left[place], **fixed}, partial(_drawn, rng))


def _drawn(rng: np.random.Generator, _: str, axis: BaseDistribution) -> Any:
    return within(axis, at(axis, rng.random()))


def _agrees(cell: Mapping[str, Any], fixed: Mapping[str, Any]) -> bool:
    return all(fixed[name] == value for name, value in cell.items() if name in fixed)
