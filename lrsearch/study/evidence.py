"""What a confirmation shows: means, intervals, paired differences, and who is recommended. No torch, no words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lrsearch.sampling.space import rate_name
from lrsearch.study import crossed, pair, rounds
from lrsearch.study.choosing import Choice, chance_of_being_best
from lrsearch.study.comparison import Comparison, Verdict, decide
from lrsearch.study.contender import Baseline, Contender
from lrsearch.study.crossed import CONFIDENCE, Estimate, Interval

MARGIN = 0.01
"""A difference of less than this share of the value does not matter, unless a person says what does."""


ROUNDS_CONFIDENCE = 0.97
"""Of the interval of a mean after several rounds, instead of 0.95: those who left have made the others look better.
With it `tests/benchmarks/rounds_simulated.py` finds the truth held in 94 of 100 studies of the polynomial task."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """A confirmation, gathered.

    Attributes:
        rows: ``holdout`` or ``test``; see `Confirmation`.
        row_count: How many rows.
        reason: Why those are not holdout rows; empty where they are.
        seeds: The fresh seeds.
        contenders: Those that are complete by their means, best first; then the others.
        maximise: Whether larger values are better.
        margin: A difference that does not matter, in the metric's unit; None for `MARGIN` of the value.
        rounds: How many rounds there were; 0 where it was settled beforehand on how many seeds there is one look.
        done: Whether no further round is to come.
        wanted_today: The settings that the person uses today, by Optuna's names; None if she names none.
        untrained: The networks before training; None where that is not known.
        prediction: The best constant prediction; None where that is not known.
        uses_seeds: False if all seeds of each finalist gave exactly the same: then nothing is learned from them.
        beside: The recommended settings with other rates. No finalists: nothing here looks at them, `rate_valley` does.
        contestants: What people do without a search -> its settings; they are contenders like any other.
        left_out: Of that what was not trained -> why.
        rate_parameter: What plays the learning rate in a study of another tool; None where our names do.
    """

    rows: str
    row_count: int
    reason: str
    seeds: list[int]
    contenders: list[Contender]
    maximise: bool = False
    margin: float | None = None
    rounds: int = 0
    done: bool = True
    wanted_today: dict[str, Any] | None = None
    untrained: Baseline | None = None
    prediction: Baseline | None = None
    uses_seeds: bool = True
    beside: Sequence[Contender] = ()
    contestants: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    rate_parameter: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing is missing, and no further round is to come."""
        return self.done and not self.missing

    @property
    def missing(self) -> int:
        """Runs that are planned and not there yet."""
        return sum(
            max(c.planned - int(np.isfinite(c.values).sum()) - c.diverged - c.failed, 0) for c in self.contenders
        )

    @cached_property
    def complete(self) -> list[Contender]:
        return [contender for contender in self.contenders if contender.is_complete]

    @property
    def covers(self) -> Literal["seeds", "seeds and rows"]:
        """What the intervals cover."""
        return "seeds and rows" if all(one.cells.shape[1] > 1 for one in self.complete) else "seeds"

    @property
    def leader(self) -> Contender:
        """The one with the best mean; there must be a complete one."""
        return self.complete[0]

    @property
    def constant(self) -> Contender | None:
        """The constant rate with the best mean."""
        return next((contender for contender in self.complete if contender.is_constant), None)

    @property
    def schedule(self) -> Contender | None:
        """The schedule that is recommended, if one is; see `Choice`."""
        _, schedules = self._kinds
        return self.complete[self._choice.pick(schedules)] if schedules else None

    @property
    def today(self) -> Contender | None:
        """What the person uses today; None if she names nothing, or it is not complete."""
        return next((one for one in self.complete if one.params == self.wanted_today), None)

    @property
    def rival(self) -> Contender | None:
        """What the recommended settings have to beat: the best constant rate; of a constant rate the best schedule."""
        return self.schedule if self.recommended.is_constant else self.constant

    @property
    def asked_about(self) -> list[Contender]:
        """Those that the question is about: recommended, its rival, and what the person uses today."""
        return [one for one in (self.recommended, self.rival, self.today) if one is not None]

    @property
    def is_answered(self) -> bool:
        """Whether further seeds would change nothing about what can be said."""
        return all(found.verdict is not Verdict.OPEN for found in self.comparisons)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """The recommended settings beside their rival, and beside what the person uses today."""
        others = [one for one in self.asked_about[1:] if one is not self.recommended]
        return [self.compared(one) for place, one in enumerate(others) if one not in others[:place]]

    @cached_property
    def tied(self) -> list[Contender]:
        """Those that cannot be told apart from the leader: the interval of their difference has zero in it."""
        return [other for other in self.complete[1:] if not self.difference(other, self.leader).excludes_zero]

    @cached_property
    def recommended(self) -> Contender:
        """The simplest of those that are within the margin of the best mean; see `Choice`.

        A constant rate is taken instead of a schedule that is expected to gain nothing, when the luck of having been
        picked is taken out, and that is not told apart from it.
        """
        picked = self.complete[self._choice.pick(range(len(self.complete)))]
        constant = self.constant
        if constant is None or picked.is_constant:
            return picked
        gains = self.sign * (self._again(constant).mean - self._again(picked, everybody=True).mean) > 0
        return picked if gains or self._behind(constant, picked).low > 0 else constant

    @cached_property
    def expected(self) -> Interval:
        """What the recommended one will come to when it is trained again.

        Its mean is that of the fresh seeds, and how much having been picked by them flatters it (`choosing.Choice`).
        """
        picked = self.recommended is self.complete[self._choice.pick(range(len(self.complete)))]
        return self._again(self.recommended, everybody=picked)

    def expectation(self, contender: Contender) -> Interval:
        """What a complete contender will come to when it is trained again.

        Having been picked, as the best constant rate is among the constant rates, is taken out.

        Args:
            contender: Any of the complete ones.
        """
        return self.expected if contender is self.recommended else self._again(contender)

    def interval(self, contender: Contender) -> Interval:
        """The mean of a complete contender, with its interval.

        Args:
            contender: Any of the complete ones.
        """
        return self._interval(contender)

    def compared(self, other: Contender) -> Comparison:
        """The recommended settings beside others.

        Args:
            other: Any other of the complete ones.
        """
        found = pair.difference(other, self.recommended)
        behind = self._behind(other, self.recommended)
        return decide(other, behind, self.margin_used, found.estimate.rows_error, (found.seeds, self.row_count))

    def behind(self, other: Contender, picked: Contender) -> Interval:
        """How much worse others are than picked settings, when the luck of having been picked is taken out.

        Args:
            other: Any of the complete ones.
            picked: The best of its kind.
        """
        return self._behind(other, picked)

    @property
    def nothing(self) -> Baseline | None:
        """The better one of those for which nothing was learned; None where neither is known."""
        known = [one for one in (self.prediction, self.untrained) if one is not None]
        return min(known, key=lambda one: self.sign * one.mean, default=None)

    @cached_property
    def learned(self) -> bool | None:
        """Whether the recommended settings are shown to be better than no training and than a constant prediction.

        None where neither is known.
        """
        known = [one for one in (self.prediction, self.untrained) if one is not None]
        own, luck = self.recommended.cells, self._choice.flattery(range(len(self.complete)))
        shown = [
            crossed.interval(self.sign * (one.cells - own), bias=-luck.mean, widening=luck.widening).low > 0
            for one in known
        ]
        return all(shown) if shown else None

    def difference(self, worse: Contender, better: Contender) -> Interval:
        """How much worse one is than another; positive where it is worse, in either direction.

        The confidence is that of all comparisons with one contender together (Bonferroni's correction): the best of
        several is compared with each of the others.

        Args:
            worse: The first of the two.
            better: The second; its values are subtracted from those of the first, seed by seed and row by row.
        """
        comparisons = max(len(self.complete) - 1, 1)
        found = self._difference(worse, better)
        return crossed.around(found, 1 - (1 - CONFIDENCE) / comparisons)

    def seeds_better(self, one: Contender, other: Contender) -> int:
        """On how many of the seeds one is better than another.

        Args:
            one: The first of the two.
            other: The second.
        """
        return int((self.sign * (one.values - other.values) < 0).sum())

    @property
    def sign(self) -> int:
        """What makes smaller values the better ones."""
        return -1 if self.maximise else 1

    @property
    def values(self) -> Numbers:
        """Of the complete contenders, smaller is better; NaN on seeds that are not theirs; [contenders, seeds]."""
        return self.sign * np.array([contender.values for contender in self.complete])

    @property
    def promised(self) -> Contender | None:
        """The one that was best in the search; None if that is not complete."""
        searched = {place: c.searched for place, c in enumerate(self.complete) if c.role == "search"}
        known = {place: value for place, value in searched.items() if value is not None}
        return self.complete[min(known, key=lambda place: self.sign * known[place])] if known else None

    @cached_property
    def chances(self) -> list[float]:
        """For each complete contender the probability of being the best, over bootstrap samples of the seeds."""
        return chance_of_being_best(self.values)

    def rate_name(self, params: Mapping[str, Any]) -> str:
        """The name of the parameter that holds the initial learning rate.

        Args:
            params: Of a contender, by Optuna's names.
        """
        return self.rate_parameter or rate_name(params)

    def is_within_margin(self, contender: Contender) -> bool:
        """Whether a complete contender's mean is as good as the best mean, for all practical purposes."""
        return self.sign * (contender.mean - self.leader.mean) <= self.margin_used

    @cached_property
    def _choice(self) -> Choice:
        cube = self.sign * np.array([contender.cells for contender in self.complete])
        return Choice(cube, [contender.complexity for contender in self.complete], self.margin_used)

    @property
    def _kinds(self) -> tuple[list[int], list[int]]:
        """Places of the complete constant rates, and of the complete schedules, with the study's optimizer."""
        places = [place for place, one in enumerate(self.complete) if not one.has_other_optimizer]
        constants = [place for place in places if self.complete[place].is_constant]
        return constants, [place for place in places if place not in constants]

    def _kind(self, picked: Contender) -> list[int]:
        """Places of those that picked settings were picked from: among contestants with other optimizers, all."""
        constants, schedules = self._kinds
        if picked.has_other_optimizer:
            return list(range(len(self.complete)))
        return constants if picked.is_constant else schedules

    def _again(self, contender: Contender, *, everybody: bool = False) -> Interval:
        """What a contender comes to without the luck of having been picked: among all, or among its own kind."""
        constants, schedules = self._kinds
        if everybody:
            others = (place for place, one in enumerate(self.complete) if one.has_other_optimizer)
            pool = [*constants, *schedules, *others]
        elif contender is self.constant or contender is self.schedule:
            pool = constants if contender.is_constant else schedules
        else:
            return self._interval(contender)
        luck = self._choice.flattery(pool)
        return self._interval(contender, self.sign * luck.mean, luck.widening)

    def _behind(self, other: Contender, picked: Contender) -> Interval:
        """How much worse others are than picked settings, when the luck of both is taken out."""
        own = self._kind(picked)
        if other is self.constant or other is self.schedule:
            pool = self._kind(other)
        else:  # what the person uses today was not picked
            pool = [place for place, one in enumerate(self.complete) if one is other]
        luck = self._choice.flattery_of_difference(pool, own)
        found = self._difference(other, picked)
        return crossed.around(found, rounds.confidence(self.rounds), bias=luck.mean, widening=luck.widening)

    def _difference(self, worse: Contender, better: Contender) -> Estimate:
        """How much worse one is than another; positive where it is worse, in either direction."""
        first, second = (worse, better) if self.sign > 0 else (better, worse)
        return pair.difference(first, second).estimate

    def _interval(self, contender: Contender, bias: float = 0.0, widening: float = 1.0) -> Interval:
        known, cells = contender.known, contender.cells[contender.mask]
        sure = ROUNDS_CONFIDENCE if self.rounds else CONFIDENCE
        if self.maximise and bool(((known >= 0) & (known <= 1)).all()):
            return crossed.interval_below_one(cells, sure, bias=bias, widening=widening)
        positive = not self.maximise and bool((known > 0).all())
        return crossed.interval(cells, sure, positive=positive, bias=bias, widening=widening)

    @property
    def margin_used(self) -> float:
        """A difference that does not matter: of a value's distance from 1 where that is the most there can be."""
        if self.margin is not None:
            return self.margin
        value = self.leader.mean
        return MARGIN * (1 - value if self.maximise and 0 <= value <= 1 else abs(value))
