"""Halving within each scheduler type: who goes on at a rung."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from optuna.pruners import BasePruner
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from lrsearch.storage.attributes import EXCLUDED

Trial = TypeVar("Trial", bound=Hashable)


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
        rung = trial.last_step
        if rung not in self.rungs:
            return False
        scheduler = trial.params.get("scheduler")
        excluded = study.user_attrs.get(EXCLUDED, {})
        others = [
            _rank(other, rung)
            for other in study.get_trials(deepcopy=False)
            if other.number != trial.number
            and rung in other.intermediate_values
            and other.params.get("scheduler") == scheduler
            and other.state != TrialState.FAIL
            and str(other.number) not in excluded
        ]
        return self.ends(_rank(trial, rung), others)

    def ends(self, own: tuple[float, int], others: Sequence[tuple[float, int]]) -> bool:
        """Whether a trial ends at a rung.

        Args:
            own: Its value there and its number.
            others: Those of the other trials of its scheduler type.
        """
        if len(others) < self.FREE:
            return False
        place = sum(rank < own for rank in others)
        return place >= survivors(len(others) + 1, self.keep)


def halve(values: Mapping[Trial, tuple[str, float]], keep: float) -> tuple[set[Trial], set[Trial]]:
    """Compare trials that reach a rung together: of each scheduler type the best share goes on.

    Args:
        values: Trial -> (scheduler type, value at the rung).
        keep: Share that goes on, at least one trial.

    Returns:
        The trials that end, and those that were compared at all: a type with no more trials than always go on is left
        to be compared with those seen before.
    """
    types = {kind for kind, _ in values.values()}
    ended: set[Trial] = set()
    compared: set[Trial] = set()
    for kind in types:
        group = [trial for trial, (own, _) in values.items() if own == kind]
        if len(group) > StratifiedHalving.FREE:
            # Sorting is stable: of equal trials the earlier one goes on. NaN comes last.
            ranked = sorted(group, key=lambda trial: math.inf if math.isnan(values[trial][1]) else values[trial][1])
            ended.update(ranked[survivors(len(group), keep) :])
            compared.update(group)
    return ended, compared


def survivors(trials: int, keep: float) -> int:
    """How many of some trials go on: the share, to the nearest whole number, at least one.

    Args:
        trials: How many are compared.
        keep: The share.
    """
    return max(1, math.floor(trials * keep + 0.5))


def _rank(trial: FrozenTrial, rung: int) -> tuple[float, int]:
    value = trial.intermediate_values[rung]
    return (math.inf if math.isnan(value) else value, trial.number)
