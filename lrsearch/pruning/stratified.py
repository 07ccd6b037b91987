"""Who goes on at a rung, among trials of one scheduler type. The only place where this stands.

Others gather what trials came to (`search.pruning_decision` from the storage, `study.forecast` from trials that are
only numbers) and ask `StratifiedPruner.decide`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
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
    """

    number: int
    scheduler: str | None
    value: float
    now: float | None = None
    optimizer: str | None = None

    @property
    def rank(self) -> Rank:
        """Orders trials by what they are judged by: the smaller first, then the earlier trial."""
        return rank(self.value, self.number)

    @property
    def rank_now(self) -> Rank:
        """Orders trials by what they have come to."""
        return rank(self.value if self.now is None else self.now, self.number)


@dataclass(frozen=True)
class Decision(Generic[Trial]):
    """What becomes of trials that reach a rung.

    Attributes:
        ended: Those that end there.
        alone: Those that were compared with trials seen there before, for too few of their type arrived with them.
    """

    ended: set[Trial]
    alone: list[Trial]


class StratifiedPruner(BasePruner, ABC):
    """Compares a trial at each rung with the trials of its own scheduler type only.

    Types that start slowly (one-cycle, warm-up) lose every early comparison with types that start fast, and win
    late; comparing like with like removes that bias. The same goes for optimizers, where several are searched and each
    has more than three trials of the type there (`_compared`, `of_like`). Who leads its type by what it has come to
    goes on in any case. One by one the rule is asynchronous (as in Li et al., "A System for Massively Parallel
    Hyperparameter Tuning", 2020): a trial goes on while it is among the best share of those seen at the rung so far,
    and the first three of a type always do.

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
    def judged(self, rung: int, values: Mapping[int, float]) -> tuple[float, float]:
        """What a trial is judged by, and what it has come to; smaller is better.

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
        own = self.at_rung(rung, at_rungs([trial])[trial.number], maximise=maximise)
        return self.ends(own, others, self.shares[rung])

    def decide(
        self,
        rung: int,
        arrived: Mapping[Trial, AtRung],
        seen_before: Callable[[str | None], Sequence[AtRung]],
        spared: Callable[[Collection[Trial], Sequence[Trial]], Collection[Trial]] = lambda *_: (),
    ) -> Decision[Trial]:
        """Who ends of some trials that reach a rung together.

        Of a scheduler type of which more arrive than always go on, the best share of them goes on. The others are
        compared one by one with those of their type that were seen at the rung before, and with each other in the
        order given.

        Args:
            rung: The rung.
            arrived: The trials.
            seen_before: A type's trials that reached the rung before; asked only where it matters.
            spared: Says of those that the rule keeps and of those that it ends, the best first, who goes on beside them
                because that costs next to nothing.
        """
        keep = self.shares[rung]
        ended, compared = halve(arrived, keep)
        alone = [trial for trial in arrived if trial not in compared]
        others: dict[str | None, list[AtRung]] = {}
        for trial in alone:
            own = arrived[trial]
            if own.scheduler not in others:
                others[own.scheduler] = list(seen_before(own.scheduler))
            if self.ends(own, others[own.scheduler], keep):
                ended.add(trial)
            others[own.scheduler].append(own)
        if self.fills and ended:
            kept = [trial for trial in arrived if trial not in ended]
            ended -= set(spared(kept, next_best(arrived, ended)))
        return Decision(ended, alone)

    def ends(self, own: AtRung, others: Sequence[AtRung], keep: float) -> bool:
        """Whether a trial ends at a rung.

        Args:
            own: The trial.
            others: The other trials of its scheduler type.
            keep: Share that goes on there.
        """
        others = of_like(own, others, self.FREE)
        if len(others) < self.FREE:
            return False
        place = sum(other.rank < own.rank for other in others)
        leads = all(own.rank_now < other.rank_now for other in others)
        return place >= survivors(len(others) + 1, keep) and not leads

    def at_rung(self, rung: int, trial: RungTrial, *, maximise: bool) -> AtRung:
        """A trial as it is compared at a rung.

        Args:
            rung: The rung.
            trial: The trial, with its values as they are stored; that of the rung is among them.
            maximise: Whether larger values are better.
        """
        sign = -1 if maximise else 1
        there = (epoch for epoch in self.looks(rung) if epoch in trial.values)
        value, now = self.judged(rung, {epoch: _comparable(sign * trial.values[epoch]) for epoch in there})
        return AtRung(trial.number, trial.scheduler, value, now, trial.optimizer)

    def seen(
        self,
        trials: Mapping[int, RungTrial],
        rung: int,
        scheduler: str | None,
        but: Collection[int],
        *,
        maximise: bool,
    ) -> list[AtRung]:
        """The trials that one of their type is compared with at a rung: failed ones do not count.

        Args:
            trials: All trials, by number.
            rung: The rung.
            scheduler: The scheduler type.
            but: Numbers of trials that do not count: excluded ones, and those that are asked about.
            maximise: Whether larger values are better.
        """
        return [
            self.at_rung(rung, trial, maximise=maximise)
            for number, trial in trials.items()
            if trial.scheduler == scheduler
            and rung in trial.values
            and trial.state != TrialState.FAIL
            and number not in but
        ]


def halve(arrived: Mapping[Trial, AtRung], keep: float) -> tuple[set[Trial], set[Trial]]:
    """Compare trials that reach a rung together: of each scheduler type the best share goes on, and who leads it.

    Args:
        arrived: The trials.
        keep: Share that goes on, at least one trial.

    Returns:
        The trials that end, and those that were compared at all: a type with no more trials than always go on is left
        to be compared with those seen before.
    """
    ended: set[Trial] = set()
    compared: set[Trial] = set()
    for group in _compared(arrived):
        if len(group) > StratifiedPruner.FREE:
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
    for group in _compared(arrived):
        below = [trial for trial in group if trial in ended]
        missed |= {trial: (place + 1) / len(group) for place, trial in enumerate(below)}
    return sorted(missed, key=lambda trial: (missed[trial], arrived[trial].number))


def rank(value: float, number: int) -> Rank:
    """What orders trials: the smaller value first, then the earlier trial; NaN is as bad as infinity.

    Args:
        value: What a trial is compared by.
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


def _compared(arrived: Mapping[Trial, AtRung]) -> list[list[Trial]]:
    """The trials that are compared with each other, best first: those of each type.

    Where each optimizer has more trials of a type than always go on, those of each optimizer by themselves: what is
    good for one may be poor for another, and few trials do not show it.
    """
    groups = []
    for group in _by_type(arrived):
        by_optimizer: dict[str | None, list[Trial]] = {}
        for trial in group:
            by_optimizer.setdefault(arrived[trial].optimizer, []).append(trial)
        apart = min(map(len, by_optimizer.values())) > StratifiedPruner.FREE
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


def _comparable(value: float) -> float:
    return math.inf if math.isnan(value) else value
