"""Who goes on at a rung, among trials of one scheduler type. The only place where this stands.

Others gather what trials came to (`search.pruning_decision` from the storage, `study.forecast` from trials that are
only numbers) and ask `StratifiedPruner.decide`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from optuna.pruners import BasePruner
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from lrsearch.storage.attributes import EXCLUDED
from lrsearch.storage.rung_trials import RungTrial

Trial = TypeVar("Trial", bound=Hashable)
Rank = tuple[float, int]
"""What orders trials at a rung, see `rank`."""
Room = Callable[[int], int]
"""How many trials may go on where so many do, because they cost next to nothing; never fewer."""


@dataclass(frozen=True)
class AtRung:
    """A trial that has reached a rung.

    Attributes:
        number: The trial's number.
        scheduler: Its scheduler type.
        value: What it is judged by there; smaller is better.
    """

    number: int
    scheduler: str | None
    value: float


@dataclass(frozen=True)
class Decision(Generic[Trial]):
    """What becomes of trials that reach a rung.

    Attributes:
        ended: Those that end there.
        alone: Those that were compared with trials seen there before, for too few of their type arrived with them.
    """

    ended: set[Trial]
    alone: list[Trial]


def no_room(trials: int) -> int:
    """Nobody goes on but those whom the rule keeps.

    Args:
        trials: How many it keeps.
    """
    return trials


class StratifiedPruner(BasePruner, ABC):
    """Compares a trial at each rung with the trials of its own scheduler type only.

    Types that start slowly (one-cycle, warm-up) lose every early comparison with types that start fast, and win
    late; comparing like with like removes that bias. One by one the rule is asynchronous (as in Li et al., "A System
    for Massively Parallel Hyperparameter Tuning", 2020): a trial goes on while it is among the best share of those
    seen at the rung so far, and the first three of a type always do.

    It only reads: asked twice, it answers twice the same.

    Args:
        shares: Epoch after which trials are compared -> share that goes on, at least one trial.
    """

    FREE = 3
    """So many trials of a type pass each rung before anybody is compared."""
    fills: ClassVar[bool]
    """Whether more go on where that costs next to nothing."""

    def __init__(self, shares: Mapping[int, float]) -> None:
        self.shares = dict(sorted(shares.items()))

    @property
    def rungs(self) -> tuple[int, ...]:
        """Epochs after which trials are compared."""
        return tuple(self.shares)

    @abstractmethod
    def looks(self, rung: int) -> tuple[int, ...]:
        """The epochs whose values are looked at.

        Args:
            rung: The rung.
        """

    @abstractmethod
    def judged(self, rung: int, values: Mapping[int, float]) -> float:
        """What a trial is judged by; smaller is better.

        Args:
            rung: The rung.
            values: Epoch -> value, smaller is better; of those of `looks` that the trial has, the rung among them.
        """

    @property
    def epochs(self) -> list[int]:
        """Everything that it ever looks at."""
        return sorted({epoch for rung in self.rungs for epoch in self.looks(rung)})

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Optuna's question about one trial; see `BasePruner.prune`."""
        rung = trial.last_step
        if rung is None or rung not in self.shares:
            return False
        trials = at_rungs(study.get_trials(deepcopy=False))
        maximise = study.direction == StudyDirection.MAXIMIZE
        excluded = {int(number) for number in study.user_attrs.get(EXCLUDED, {})}
        others = self.seen(trials, rung, trial.params.get("scheduler"), {*excluded, trial.number}, maximise=maximise)
        own = self.place(rung, trial.intermediate_values, trial.number, maximise=maximise)
        return self.ends(own, others, self.shares[rung])

    def decide(
        self,
        rung: int,
        arrived: Mapping[Trial, AtRung],
        seen_before: Callable[[str | None], Sequence[Rank]],
        room: Room = no_room,
    ) -> Decision[Trial]:
        """Who ends of some trials that reach a rung together.

        Of a scheduler type of which more arrive than always go on, the best share of them goes on. The others are
        compared one by one with those of their type that were seen at the rung before, and with each other in the
        order given.

        Args:
            rung: The rung.
            arrived: The trials.
            seen_before: The ranks at the rung of a type's trials that reached it before; asked only where it matters.
            room: How many may go on.
        """
        keep = self.shares[rung]
        ended, compared = halve(arrived, keep)
        alone = [trial for trial in arrived if trial not in compared]
        others: dict[str | None, list[Rank]] = {}
        for trial in alone:
            own = arrived[trial]
            if own.scheduler not in others:
                others[own.scheduler] = list(seen_before(own.scheduler))
            place = rank(own.value, own.number)
            if self.ends(place, others[own.scheduler], keep):
                ended.add(trial)
            others[own.scheduler].append(place)
        if self.fills and ended:
            kept = len(arrived) - len(ended)
            ended -= set(next_best(arrived, ended)[: max(room(kept) - kept, 0)])
        return Decision(ended, alone)

    def ends(self, own: Rank, others: Sequence[Rank], keep: float) -> bool:
        """Whether a trial ends at a rung.

        Args:
            own: Its rank there.
            others: Those of the other trials of its scheduler type.
            keep: Share that goes on there.
        """
        if len(others) < self.FREE:
            return False
        place = sum(other < own for other in others)
        return place >= survivors(len(others) + 1, keep)

    def place(self, rung: int, values: Mapping[int, float], number: int, *, maximise: bool) -> Rank:
        """The rank of a trial at a rung.

        Args:
            rung: The rung.
            values: Epoch -> value as it is stored; the rung is among them.
            number: The trial's number.
            maximise: Whether larger values are better.
        """
        sign = -1 if maximise else 1
        signed = {epoch: _comparable(sign * values[epoch]) for epoch in self.looks(rung) if epoch in values}
        return rank(self.judged(rung, signed), number)

    def seen(
        self,
        trials: Mapping[int, RungTrial],
        rung: int,
        scheduler: str | None,
        but: Collection[int],
        *,
        maximise: bool,
    ) -> list[Rank]:
        """The ranks at a rung of the trials that one of their type is compared with: failed ones do not count.

        Args:
            trials: All trials, by number.
            rung: The rung.
            scheduler: The scheduler type.
            but: Numbers of trials that do not count: excluded ones, and those that are asked about.
            maximise: Whether larger values are better.
        """
        return [
            self.place(rung, trial.values, number, maximise=maximise)
            for number, trial in trials.items()
            if trial.scheduler == scheduler
            and rung in trial.values
            and trial.state != TrialState.FAIL
            and number not in but
        ]


def halve(arrived: Mapping[Trial, AtRung], keep: float) -> tuple[set[Trial], set[Trial]]:
    """Compare trials that reach a rung together: of each scheduler type the best share goes on.

    Args:
        arrived: The trials.
        keep: Share that goes on, at least one trial.

    Returns:
        The trials that end, and those that were compared at all: a type with no more trials than always go on is left
        to be compared with those seen before.
    """
    ended: set[Trial] = set()
    compared: set[Trial] = set()
    for group in _by_type(arrived):
        if len(group) > StratifiedPruner.FREE:
            ended.update(group[survivors(len(group), keep) :])
            compared.update(group)
    return ended, compared


def next_best(arrived: Mapping[Trial, AtRung], ended: Collection[Trial]) -> list[Trial]:
    """Trials that end at a rung, those first that came nearest to going on within their type.

    Args:
        arrived: All that reached it.
        ended: Those that end.
    """
    missed: dict[Trial, float] = {}
    for group in _by_type(arrived):
        below = [trial for trial in group if trial in ended]
        missed |= {trial: (place + 1) / len(group) for place, trial in enumerate(below)}
    return sorted(missed, key=lambda trial: (missed[trial], arrived[trial].number))


def rank(value: float, number: int) -> Rank:
    """What orders trials at a rung: the smaller value first, then the earlier trial; NaN is as bad as infinity.

    Args:
        value: What a trial is judged by.
        number: The trial's number.
    """
    return (_comparable(value), number)


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
        trial.number: RungTrial(trial.number, trial.state, trial.params.get("scheduler"), trial.intermediate_values)
        for trial in trials
    }


def _by_type(arrived: Mapping[Trial, AtRung]) -> list[list[Trial]]:
    """The trials of each scheduler type, best first."""
    types = dict.fromkeys(own.scheduler for own in arrived.values())
    return [
        sorted(
            (trial for trial, own in arrived.items() if own.scheduler == scheduler),
            key=lambda trial: rank(arrived[trial].value, arrived[trial].number),
        )
        for scheduler in types
    ]


def _comparable(value: float) -> float:
    return math.inf if math.isnan(value) else value
