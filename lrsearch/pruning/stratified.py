"""Who goes on at a rung, among trials of one scheduler type. The only place where this stands.

Others gather what trials came to (`search.pruning_decision` from the storage, `study.forecast` from trials that are
only numbers) and ask `StratifiedPruner.decide`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Generic

from optuna.pruners import BasePruner
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from lrsearch.pruning.comparison import (
    FREE,
    AtRung,
    Rank,
    Seen,
    Trial,
    at_rungs,
    comparable,
    halve,
    next_best,
    of_like,
    survivors,
)
from lrsearch.storage.attributes import EXCLUDED
from lrsearch.storage.rung_trials import RungTrial

SPENT, TIGHTER = 0.9, 0.7
"""Parts of the share that goes on: once the first part of it has, of all types, only the second part does. A sampler's
later trials are better than its earlier ones: compared with those, far more than the share of them would go on."""


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
    has more than three trials of the type there (`comparison.of_like`). Who leads the others by what it has come to is
    not behind them. One by one the rule is asynchronous (as in Li et al., "A System for Massively Parallel
    Hyperparameter Tuning", 2020): a trial goes on while it is among the best share of those seen at the rung so far.
    The first three of a type do as well, or are compared with all types, see `across`.

    It only reads: asked twice, it answers twice the same.

    Args:
        shares: Epoch after which trials are compared -> share that goes on, at least one trial.

    Attributes:
        shares: The same, in the order of the epochs.
    """

    fills: ClassVar[bool]
    """Whether more go on where that costs next to nothing."""
    across: ClassVar[bool]
    """Whether a trial that is compared one by one is compared with all types, too. The first of its own goes on at the
    first rung, and later if it would be among the best share of all with twice the gain that is expected of it. The
    second and third must be among them as they are. Others end, too, if they would not be even with twice that gain."""
    tighter: ClassVar[float] = TIGHTER
    """See `TIGHTER`; for trials that are trained one by one, where `across` holds."""

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

    def until_next(self, rung: int, last: int | None) -> float:
        """Epochs from a rung to the next one, or to the end.

        Args:
            rung: The rung.
            last: Epochs of a trial that is trained to the end; None if that is not known.
        """
        return next((later - rung for later in self.rungs if later > rung), math.inf if last is None else last - rung)

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Optuna's question about one trial; see `BasePruner.prune`."""
        rung = trial.last_step
        if rung is None or rung not in self.shares:
            return False
        trials = at_rungs(study.get_trials(deepcopy=False))
        maximise = study.direction == StudyDirection.MAXIMIZE
        excluded = {int(number) for number in study.user_attrs.get(EXCLUDED, {})}
        seen = self.seen(trials, rung, {*excluded, trial.number}, maximise=maximise)
        own = self.at_rung(rung, at_rungs([trial])[trial.number], maximise=maximise)
        return self.ends(own, seen.of(own.scheduler), rung, seen.all)

    def decide(
        self,
        rung: int,
        arrived: Mapping[Trial, AtRung],
        seen_before: Seen,
        spared: Callable[[Collection[Trial], Sequence[Trial]], Collection[Trial]] = lambda *_: (),
        *,
        together: bool = False,
    ) -> Decision[Trial]:
        """Who ends of some trials that reach a rung together.

        Of a scheduler type of which more than three arrive, the best share of them goes on. The others are compared one
        by one with those of their type that were seen at the rung before, and with each other in the order given; see
        also `across`.

        Args:
            rung: The rung.
            arrived: The trials.
            seen_before: The trials that reached the rung before.
            spared: Says of those that the rule keeps and of those that it ends, the best first, who goes on beside them
                because that costs next to nothing.
            together: Whether trials are trained by the generation. Else each is decided on before the next one comes.
        """
        ended, decided = halve(arrived, self.shares[rung])
        alone = [trial for trial in arrived if trial not in decided]
        others: dict[str | None, list[AtRung]] = {}
        for trial in alone:
            own = arrived[trial]
            if own.scheduler not in others:
                others[own.scheduler] = list(seen_before.of(own.scheduler))

            def everybody(trial: Trial = trial) -> list[AtRung]:
                there = [other for other in arrived if other != trial and (together or other in decided)]
                return [*seen_before.all(), *(replace(arrived[it], goes_on=it not in ended) for it in there)]

            if self.ends(own, others[own.scheduler], rung, everybody, together=together):
                ended.add(trial)
            decided.add(trial)
            others[own.scheduler].append(own)
        if self.fills and ended:
            kept = [trial for trial in arrived if trial not in ended]
            ended -= set(spared(kept, next_best(arrived, ended)))
        return Decision(ended, alone)

    def ends(
        self,
        own: AtRung,
        others: Sequence[AtRung],
        rung: int,
        everybody: Callable[[], Sequence[AtRung]],
        *,
        together: bool = False,
    ) -> bool:
        """Whether a trial ends at a rung.

        Args:
            own: The trial.
            others: The other trials of its scheduler type.
            rung: The rung.
            everybody: The other trials of all types.
            together: As for `decide`.
        """
        keep, others = self.shares[rung], of_like(own, others, FREE)
        enough = len(others) >= FREE
        if not self.across:
            return enough and self._is_behind(own, own.rank, others, keep)
        if self.shows_its_type(others, rung):
            return False
        all_types = everybody()
        if not together and sum(other.goes_on for other in all_types) >= SPENT * keep * (len(all_types) + 1):
            keep *= self.tighter
        if enough and self._is_behind(own, own.rank, others, keep):
            return True
        hoped = own.rank_hoped if enough or not others else own.rank
        return len(all_types) >= FREE and self._is_behind(own, hoped, all_types, keep)

    def shows_its_type(self, others: Sequence[AtRung], rung: int) -> bool:
        """Whether a trial goes on in any case: the first of its type shows what that comes to, which may start slowly.

        Args:
            others: The other trials of its scheduler type.
            rung: The rung; at later ones than the first it has shown it.
        """
        return not others and rung == self.rungs[0]

    @staticmethod
    def _is_behind(own: AtRung, judged: Rank, others: Sequence[AtRung], keep: float) -> bool:
        """Whether a trial is not among the best share, nor leads by what it has come to."""
        place = sum(other.rank < judged for other in others)
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
        value, now = self.judged(rung, {epoch: comparable(sign * trial.values[epoch]) for epoch in there})
        goes_on = trial.state != TrialState.PRUNED or max(trial.values) > rung
        return AtRung(trial.number, trial.scheduler, value, now, trial.optimizer, goes_on)

    def seen(
        self,
        trials: Mapping[int, RungTrial],
        rung: int,
        but: Collection[int],
        *,
        maximise: bool,
        known: dict[tuple[int, int], AtRung] | None = None,
    ) -> Seen:
        """The trials that one is compared with at a rung: failed ones do not count.

        Args:
            trials: All trials, by number.
            rung: The rung.
            but: Numbers of trials that do not count: excluded ones, and those that are asked about.
            maximise: Whether larger values are better.
            known: Rung and number -> a trial that has ended, from earlier calls; it gets those that are new.
        """
        known = {} if known is None else known

        def at_rung(trial: RungTrial) -> AtRung:
            if (rung, trial.number) in known:
                return known[rung, trial.number]
            found = self.at_rung(rung, trial, maximise=maximise)
            if trial.state.is_finished():
                known[rung, trial.number] = found
            return found

        def found(counts: Callable[[RungTrial], bool]) -> list[AtRung]:
            return [
                at_rung(trial)
                for number, trial in trials.items()
                if counts(trial) and rung in trial.values and trial.state != TrialState.FAIL and number not in but
            ]

        return Seen(lambda kind: found(lambda trial: trial.scheduler == kind), lambda: found(lambda _: True))
