"""Choose the settings of trials, many at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby, islice
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import TrialState

from lrsearch import registry
from lrsearch.sampling import samplers
from lrsearch.sampling.cells import distinct
from lrsearch.sampling.proposer import BLOCK, Proposer
from lrsearch.sampling.rows import Rows
from lrsearch.sampling.space import Space, within
from lrsearch.sampling.spare import Spare
from lrsearch.storage.history import History
from lrsearch.storage.past_trials import PastTrial
from lrsearch.storage.reader import StudyReader
from lrsearch.storage.store import Chosen, Claim
from lrsearch.study_file.model import Definition

SMALLEST, LARGEST = 64, 512
"""Bounds of a generation whose size a study file does not give."""


def generation_size(definition: Definition) -> int:
    """How many trials are asked before any of them is told: a quarter of the study's, within bounds.

    Args:
        definition: The study's definition.
    """
    own = definition.sampler.options.get("generation")
    return int(own) if own is not None else min(max(definition.trials // 4, SMALLEST), LARGEST)


def chosen(definition: Definition, first: int, last: int) -> Iterator[dict[str, Any]]:
    """Parameters of the trials that are chosen beforehand: tried settings, then the cells of a grid, each once.

    Args:
        definition: The study's definition.
        first: How many to pass over.
        last: Trials of the study; there is at most one entry for each.
    """
    space = Space.of(definition)
    tried = (space.params_of(entry) for entry in definition.tries)
    return islice(distinct(chain(tried, registry.samplers.get(definition.sampler.name).chosen(space))), first, last)


def trials_to_train(definition: Definition) -> int:
    """The study's trials in all: no more than there are different settings, since equal ones train the same.

    Args:
        definition: The study's definition.
    """
    sampler, space = registry.samplers.get(definition.sampler.name), Space.of(definition)
    there = sampler.settings(definition, space)
    return definition.trials if there is None else min(definition.trials, there)


@dataclass(frozen=True)
class Asked:
    """What a sampler answered.

    Attributes:
        chosen: Settings of each trial.
        once: Of these the trials that were given settings which no other trial shall have.
        refused: Trials whose settings somebody else let wait, and which cannot be trained -> why.
        ignored: Trials -> names among their fixed settings that mean nothing here.
    """

    chosen: Mapping[Claim, Chosen]
    once: Collection[Claim]
    refused: Mapping[Claim, str]
    ignored: Mapping[Claim, Sequence[str]]


class Asker:
    """Asks a study's sampler, and keeps what it has read of the study's trials for the next time.

    Args:
        definition: The study's definition.
        reader: Reads the study.
        seeded: Whether each trial has a seed of its own.
        maximise: Whether larger values are better.
        study: The study itself, which samplers of Optuna look at.
    """

    def __init__(
        self,
        definition: Definition,
        reader: StudyReader,
        *,
        seeded: bool = False,
        maximise: bool = False,
        study: optuna.Study | None = None,
    ) -> None:
        self._space = Space.of(definition, seeded=seeded)
        self._proposer = samplers.build(definition, study)
        self._history = History(reader, maximise=maximise)
        self._rows = Rows(self._space)
        self._spare = Spare(self._space, int(definition.sampler.options.get("seed", 0)))

    def ask(self, claims: Collection[Claim]) -> Asked:
        """Settings for claimed trials. Asked again before any trial has ended, it answers the same.

        Args:
            claims: The trials; what is fixed of their settings stays.
        """
        numbers = {claim.number: claim for claim in claims}
        fixed = self._fixed(claims)
        found = {number: self._rows.fault(own) for number, own in fixed.items()}
        sound = {number: own for number, own in fixed.items() if found[number] is None}
        chosen = choose(self._proposer, self._space, sound, self._history.pending())
        drawn = {number for number in chosen if not chosen[number].params.keys() <= sound[number].keys()}
        once: set[int] = set()
        if self._spare.is_needed:
            chosen, once = self._spare.differing(chosen, sound, drawn, self._history.others(numbers))
        ignored = {number: self._rows.unknown_keys(own) for number, own in sound.items()}
        return Asked(
            chosen={numbers[number]: own for number, own in chosen.items()},
            once=[numbers[number] for number in once],
            refused={numbers[number]: reason for number, reason in found.items() if reason is not None},
            ignored={numbers[number]: names for number, names in ignored.items() if names},
        )

    def _fixed(self, claims: Collection[Claim]) -> dict[int, Any]:
        """What is fixed of the trials' settings, whoever fixed it."""
        if self._proposer.learns or self._spare.is_needed:
            self._history.refresh()
        if self._proposer.learns:
            self._proposer.learn(self._history.told())
            return {claim.number: self._history[claim.number].params for claim in claims}
        there = self._history.settings([claim.trial_id for claim in claims])
        return {claim.number: there.get(claim.trial_id, {}) for claim in claims}


def choose(
    proposer: Proposer, space: Space, fixed: Mapping[int, Mapping[str, Any]], pending: Iterable[PastTrial]
) -> dict[int, Chosen]:
    """Settings for trials, block by block.

    Args:
        proposer: Has learned from the trials that have ended.
        space: What is searched.
        fixed: The trials' numbers -> parameters that have their value already.
        pending: All trials that have not ended, these among them or not.
    """
    trying = {trial.number: trial for trial in pending}
    chosen = {}
    for _, block in groupby(sorted(fixed), key=lambda number: number // BLOCK):
        numbers = list(block)
        points = proposer.propose(numbers, tuple(trying.values()))
        for number, point in zip(numbers, points, strict=True):
            chosen[number] = space.settle(fixed[number], partial(_shortened, point))
            # The next block keeps away from what this one will try.
            trying[number] = PastTrial(number, TrialState.RUNNING, chosen[number].params)
    return chosen


def _shortened(point: Callable[[str, BaseDistribution], Any], name: str, axis: BaseDistribution) -> Any:
    return within(axis, point(name, axis))
