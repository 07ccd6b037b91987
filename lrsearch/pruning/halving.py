"""Halving within each scheduler type: who goes on at a rung. The only place where the rule stands.

Others gather what trials came to (`search.pruning_decision` from the storage, `study.forecast` from trials that are
only numbers) and ask `StratifiedHalving.decide`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from optuna.pruners import BasePruner
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from lrsearch.storage.attributes import EXCLUDED
from lrsearch.storage.rung_trials import RungTrial

Trial = TypeVar("Trial", bound=Hashable)
Rank = tuple[float, int]
"""What orders trials at a rung, see `rank`."""


@dataclass(frozen=True)
class AtRung:
    """A trial that has reached a rung.

    Attributes:
        number: The trial's number.
        scheduler: Its scheduler type.
        value: What it came to there; smaller is better.
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


class StratifiedHalving(BasePruner):
    """Compares a trial at each rung with the trials of its own scheduler type only.

    Types that start slowly (one-cycle, warm-up) lose every early comparison with types that start fast, and win
    late; comparing like with like removes that bias. One by one the rule is asynchronous (as in Li et al., "A System
    for Massively Parallel Hyperparameter Tuning", 2020): a trial goes on while it is among the best share of those
    seen at the rung so far, and the first three of a type always do.

    It only reads: asked twice, it answers twice the same.

    Args:
        rungs: Epochs after which trials are compared.
        keep: Share that goes on, at least one trial.
    """

    FREE = 3
    """So many trials of a type pass each rung before anybody is compared."""

    def __init__(self, rungs: Sequence[int], keep: float) -> None:
        self.rungs = tuple(rungs)
        self.keep = keep

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Optuna's question about one trial; see `BasePruner.prune`."""
        rung = trial.last_step
        if rung is None or rung not in self.rungs:
            return False
        trials = at_rungs(study.get_trials(deepcopy=False))
        maximise = study.direction == StudyDirection.MAXIMIZE
        excluded = {int(number) for number in study.user_attrs.get(EXCLUDED, {})}
        others = seen(trials, rung, trial.params.get("scheduler"), {*excluded, trial.number}, maximise=maximise)
        return self.ends(rank((-1 if maximise else 1) * trial.intermediate_values[rung], trial.number), others)

    def decide(
        self, arrived: Mapping[Trial, AtRung], seen_before: Callable[[str | None], Sequence[Rank]]
    ) -> Decision[Trial]:
        """Who ends of some trials that reach a rung together.

        Of a scheduler type of which more arrive than always go on, the best share of them goes on. The others are
        compared one by one with those of their type that were seen at the rung before, and with each other in the
        order given.

        Args:
            arrived: The trials.
            seen_before: The ranks at the rung of a type's trials that reached it before; asked only where it matters.
        """
        ended, compared = halve(arrived, self.keep)
        alone = [trial for trial in arrived if trial not in compared]
        others: dict[str | None, list[Rank]] = {}
        for trial in alone:
            own = arrived[trial]
            if own.scheduler not in others:
                others[own.scheduler] = list(seen_before(own.scheduler))
            place = rank(own.value, own.number)
            if self.ends(place, others[own.scheduler]):
                ended.add(trial)
            others[own.scheduler].append(place)
        return Decision(ended, alone)

    def ends(self, own: Rank, others: Sequence[Rank]) -> bool:
        """Whether a trial ends at a rung.

        Args:
            own: Its rank there.
            others: Those of the other trials of its scheduler type.
        """
        if len(others) < self.FREE:
            return False
        place = sum(other < own for other in others)
        return place >= survivors(len(others) + 1, self.keep)


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
    for scheduler in {own.scheduler for own in arrived.values()}:
        group = [trial for trial, own in arrived.items() if own.scheduler == scheduler]
        if len(group) > StratifiedHalving.FREE:
            ranked = sorted(group, key=lambda trial: rank(arrived[trial].value, arrived[trial].number))
            ended.update(ranked[survivors(len(group), keep) :])
            compared.update(group)
    return ended, compared


def rank(value: float, number: int) -> Rank:
    """What orders trials at a rung: the smaller value first, then the earlier trial; NaN is as bad as infinity.

    Args:
        value: What a trial came to.
        number: The trial's number.
    """
    return (math.inf if math.isnan(value) else value, number)


def survivors(trials: int, keep: float) -> int:
    """How many of some trials go on: the share, to the nearest whole number, at least one.

    Args:
        trials: How many are compared.
        keep: The share.
    """
    return max(1, math.floor(trials * keep + 0.5))


def seen(
    trials: Mapping[int, RungTrial], rung: int, scheduler: str | None, but: Collection[int], *, maximise: bool
) -> list[Rank]:
    """The ranks at a rung of the trials that one of their scheduler type is compared with: failed ones do not count.

    Args:
        trials: All trials, by number.
        rung: The rung.
        scheduler: The scheduler type.
        but: Numbers of trials that do not count: excluded ones, and those that are asked about.
        maximise: Whether larger values are better.
    """
    sign = -1 if maximise else 1
    return [
        rank(sign * trial.values[rung], number)
        for number, trial in trials.items()
        if trial.scheduler == scheduler
        and rung in trial.values
        and trial.state != TrialState.FAIL
        and number not in but
    ]


def at_rungs(trials: Sequence[FrozenTrial]) -> dict[int, RungTrial]:
    """Number -> what `seen` looks at, of trials as Optuna reads them.

    Args:
        trials: The trials.
    """
    return {
        trial.number: RungTrial(trial.number, trial.state, trial.params.get("scheduler"), trial.intermediate_values)
        for trial in trials
    }
