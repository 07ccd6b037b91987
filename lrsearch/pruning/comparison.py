"""How trials are compared at a rung: each with those of its own scheduler type."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from optuna.trial import FrozenTrial

from lrsearch.storage.rung_trials import RungTrial

Trial = TypeVar("Trial", bound=Hashable)
FREE = 3
"""So many trials must have been seen at a rung before another one is compared with them."""
Rank = tuple[float, int]
"""Orders trials: what they are compared by, then their number."""


@dataclass(frozen=True)
class AtRung:
    """A trial that has reached a rung.

    Attributes:
        number: The trial's number.
        scheduler: Its scheduler type.
        value: What it is judged by there; smaller is better.
        now: What it has come to there, if that is not the same.
        optimizer: Its optimizer, where several are searched.
        goes_on: Whether it did not end there; a trial that is under way counts as one that did not.
    """

    number: int
    scheduler: str | None
    value: float
    now: float | None = None
    optimizer: str | None = None
    goes_on: bool = True

    @property
    def rank(self) -> Rank:
        """Orders trials by what they are judged by: the smaller first, then the earlier trial."""
        return rank(self.value, self.number)

    @property
    def rank_now(self) -> Rank:
        """Orders trials by what they have come to."""
        return rank(self.value if self.now is None else self.now, self.number)

    @property
    def rank_hoped(self) -> Rank:
        """The same as `rank` if it gains twice what is expected of it."""
        gain = 0.0 if self.now is None or not math.isfinite(self.now - self.value) else self.now - self.value
        return rank(self.value - gain, self.number)


@dataclass(frozen=True)
class Seen:
    """Trials that reached a rung before; asked only where it matters.

    Attributes:
        of: Those of a scheduler type.
        all: Those of all types.
    """

    of: Callable[[str | None], Sequence[AtRung]]
    all: Callable[[], Sequence[AtRung]]


def halve(arrived: Mapping[Trial, AtRung], keep: float) -> tuple[set[Trial], set[Trial]]:
    """Compare trials that reach a rung together: of each scheduler type the best share goes on, and who leads it.

    Args:
        arrived: The trials.
        keep: Share that goes on, at least one trial.

    Returns:
        The trials that end, and those that were compared at all: a type with too few trials is left to be compared with
        those seen before.
    """
    ended: set[Trial] = set()
    compared: set[Trial] = set()
    for group in compared_together(arrived):
        if len(group) > FREE:
            leader = min(group, key=lambda trial: arrived[trial].rank_now)
            ended.update(trial for trial in group[survivors(len(group), keep) :] if trial != leader)
            compared.update(group)
    return ended, compared


def next_best(arrived: Mapping[Trial, AtRung], ended: Collection[Trial]) -> list[Trial]:
    """Trials that end at a rung, those first that came nearest to going on within their type.

    Args:
        arrived: All that reached it.
        ended: Those that end.
    """
    missed: dict[Trial, float] = {}
    for group in compared_together(arrived):
        below = [trial for trial in group if trial in ended]
        missed |= {trial: (place + 1) / len(group) for place, trial in enumerate(below)}
    return sorted(missed, key=lambda trial: (missed[trial], arrived[trial].number))


def rank(value: float, number: int) -> Rank:
    """What orders trials: the smaller value first, then the earlier trial; NaN is as bad as infinity.

    Args:
        value: What a trial is compared by.
        number: The trial's number.
    """
    return (comparable(value), number)


def survivors(trials: int, keep: float) -> int:
    """How many of some trials go on: the share, to the nearest whole number, at least one.

    Args:
        trials: How many are compared.
        keep: The share.
    """
    return max(1, math.floor(trials * keep + 0.5))


def at_rungs(trials: Sequence[FrozenTrial]) -> dict[int, RungTrial]:
    """Number -> what `StratifiedPruner.seen` looks at, of trials as Optuna reads them.

    Args:
        trials: The trials.
    """
    return {
        trial.number: RungTrial(
            trial.number,
            trial.state,
            trial.params.get("scheduler"),
            trial.intermediate_values,
            trial.params.get("optimizer"),
        )
        for trial in trials
    }


def of_like(own: AtRung, others: Sequence[AtRung], fewest: int) -> Sequence[AtRung]:
    """The trials of its type that one is compared with: those of its optimizer, where each optimizer has enough.

    Args:
        own: The trial.
        others: The other trials of its type.
        fewest: So many are enough; with fewer of any optimizer, all of the type are compared.
    """
    numbers = Counter([own.optimizer, *(other.optimizer for other in others)])
    numbers[own.optimizer] -= 1
    if len(numbers) == 1 or min(numbers.values()) < fewest:
        return others
    return [other for other in others if other.optimizer == own.optimizer]


def compared_together(arrived: Mapping[Trial, AtRung]) -> list[list[Trial]]:
    """The trials that are compared with each other, best first: those of each type.

    Where each optimizer has more than three trials of a type, those of each optimizer by themselves: what is
    good for one may be poor for another, and few trials do not show it.
    """
    groups = []
    for group in _by_type(arrived):
        by_optimizer: dict[str | None, list[Trial]] = {}
        for trial in group:
            by_optimizer.setdefault(arrived[trial].optimizer, []).append(trial)
        apart = min(map(len, by_optimizer.values())) > FREE
        groups += list(by_optimizer.values()) if apart else [group]
    return groups


def _by_type(arrived: Mapping[Trial, AtRung]) -> list[list[Trial]]:
    """The trials of each scheduler type, best first."""
    types = dict.fromkeys(own.scheduler for own in arrived.values())
    return [
        sorted(
            (trial for trial, own in arrived.items() if own.scheduler == scheduler),
            key=lambda trial: arrived[trial].rank,
        )
        for scheduler in types
    ]


def comparable(value: float) -> float:
    """A value that trials can be ordered by: NaN is as bad as infinity.

    Args:
        value: Smaller is better.
    """
    return math.inf if math.isnan(value) else value
