"""The tree-structured Parzen estimator, for many trials at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import TrialState

from lrsearch.sampling.parzen import Mixture, Numbers
from lrsearch.sampling.proposer import BLOCK, Point, Uniform
from lrsearch.sampling.space import SEED, Space
from lrsearch.storage.past_trials import PastTrial
from lrsearch.study_file.searched_options import OPTIMIZER

STARTUP = 10
"""So many trials end before anything is learned from them."""
GOOD_SHARE, MOST_GOOD = 0.1, 25
"""The best share of the trials is called good, but not more trials than that."""
GOOD_OF_COMPLETE, FEWEST_GOOD = 1 / 3, 5
"""Nor more than this share of those that were trained to the end, if these are not fewer than that: a pruner that keeps
the best of each scheduler type would make each type's best good, however much better one type is than another."""
MOST_BAD = 300
"""Of the other trials so many are looked at, evenly spaced over the study: more cost time and teach nothing."""
CANDIDATES = 8
"""Points that compete for each trial. Optuna lets 24 compete, but asks again after every trial; a generation that is so
greedy learns less (`tests/benchmarks/sampling.py`)."""

Rows = Callable[[], list[dict[str, Any]]]


class ParzenEstimator:
    """Proposes what looks more like the good trials than like the others.

    Points are drawn from the density of the good trials; the one whose density there is largest, compared with that of
    all other trials, is proposed. Trials that have not ended count among the others, so that nobody proposes the same
    again meanwhile ("constant liar"). Both densities are estimated once per block of trials; `parzen.Mixture` has the
    sources. Optuna's `TPESampler` looks at every trial for every single question: longer than it takes to train them.

    Args:
        space: What is searched.
        seed: The study's seed.
    """

    learns = True

    def __init__(self, space: Space, seed: int) -> None:
        self._seed = seed
        self._uniform = Uniform(seed)
        self._needed = frozenset(space.shared()) - {SEED}
        self._owner = space.conditions()
        self._axes = {name: axis for name, axis in space.all_distributions().items() if not axis.single()}
        self._learned = 0
        self._bad: Numbers = np.empty((0, len(self._axes)))
        self._good: Mixture | None = None

    def learn(self, told: Sequence[PastTrial]) -> None:
        """See `points.Proposer.learn`."""
        self._learned = len(told)
        if self._learned < STARTUP:
            return  # nobody asks the estimates, and scipy takes a while to come
        ranked = sorted(told, key=rank)
        good = sorted(ranked[: _number_of_good(ranked)], key=lambda trial: trial.number)
        best = {trial.number for trial in good}
        bad = [trial for trial in told if trial.number not in best]
        if len(bad) > MOST_BAD:
            bad = [bad[place] for place in np.linspace(0, len(bad) - 1, MOST_BAD).round().astype(int)]
        self._bad = self._points(bad)
        self._good = Mixture(list(self._axes.values()), self._points(good))

    def propose(self, numbers: Sequence[int], pending: Sequence[PastTrial]) -> list[Point]:
        """See `points.Proposer.propose`."""
        if self._learned < STARTUP or not self._axes:
            return self._uniform.propose(numbers, pending)
        block = numbers[0] // BLOCK
        rows = cache(lambda: self._best_of_candidates(block, pending))
        return [partial(self._value, rows, number % BLOCK, self._uniform.point(number)) for number in numbers]

    def _value(self, rows: Rows, place: int, otherwise: Point, name: str, axis: BaseDistribution) -> Any:
        # Settings that are fixed in part may ask for another scheduler type than was proposed.
        row = rows()[place]
        return row[name] if name in row else otherwise(name, axis)

    def _best_of_candidates(self, block: int, pending: Iterable[PastTrial]) -> list[dict[str, Any]]:
        """The parameters of all trials of a block, whoever of them is asked for."""
        assert self._good is not None
        rng = np.random.default_rng([self._seed, block, BLOCK])
        others = Mixture(list(self._axes.values()), np.concatenate([self._bad, self._points(pending)]))
        points = np.full((BLOCK, len(self._axes)), np.nan)
        # First what all trials have, such as the scheduler type, then the parameters that go with it.
        for not_yet in (list(self._owner), []):
            points = self._good.complete(rng, points, CANDIDATES)
            self._drop(points, not_yet)
            gain = self._good.log_density(points) - others.log_density(points)
            best = gain.reshape(BLOCK, CANDIDATES).argmax(axis=1)
            points = points[best + CANDIDATES * np.arange(BLOCK)]
        return [self._params(point) for point in points]

    def _drop(self, points: Numbers, unwanted: Iterable[str]) -> None:
        """Leave a point no parameters but those that its own type and optimizer have, and none that are unwanted."""
        names = list(self._axes)
        for decides in ("scheduler", OPTIMIZER):
            if decides not in names:
                continue
            choices, chosen = _choices(self._axes[decides]), points[:, names.index(decides)]
            for column, name in enumerate(names):
                if name in self._owner and self._owner[name][0] == decides:
                    points[chosen != choices.index(self._owner[name][1]), column] = np.nan
        for column, name in enumerate(names):
            if name in unwanted:
                points[:, column] = np.nan

    def _points(self, trials: Iterable[PastTrial]) -> Numbers:
        """Settings of those trials that have all they need; [trials, parameters]."""
        there = (trial.params for trial in trials if isinstance(trial.params, Mapping))
        settled = (params for params in there if self._needed <= params.keys())
        rows = [row for params in settled if (row := self._point(params)) is not None]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self._axes))

    def _point(self, params: Mapping[str, Any]) -> list[float] | None:
        """A row of numbers; None if the settings are no point of this space."""
        try:
            return [
                axis.to_internal_repr(params[name]) if name in params else math.nan for name, axis in self._axes.items()
            ]
        except (ValueError, TypeError):
            return None

    def _params(self, point: Numbers) -> dict[str, Any]:
        return {
            name: axis.to_external_repr(float(value))
            for (name, axis), value in zip(self._axes.items(), point, strict=True)
            if not math.isnan(value)
        }


def rank(trial: PastTrial) -> tuple[float, ...]:
    """Sorts trials from good to bad: complete ones by value, pruned ones by how far they got, diverged ones last.

    Args:
        trial: It has ended.
    """
    if trial.violation > 0:
        return (2, trial.violation, 0.0, trial.number)
    if trial.state == TrialState.COMPLETE and trial.value is not None:
        return (0, trial.value, 0.0, trial.number)
    step, value = trial.last or (0, math.inf)
    return (1, -step, math.inf if math.isnan(value) else value, trial.number)


def _number_of_good(ranked: Sequence[PastTrial]) -> int:
    complete = sum(rank(trial)[0] == 0 for trial in ranked)
    most = max(math.ceil(GOOD_OF_COMPLETE * complete), FEWEST_GOOD)
    return min(math.ceil(GOOD_SHARE * len(ranked)), MOST_GOOD, most)


def _choices(axis: BaseDistribution) -> Sequence[Any]:
    assert isinstance(axis, CategoricalDistribution)
    return axis.choices
