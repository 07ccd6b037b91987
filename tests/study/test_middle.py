"""The middle of a valley: which rate that is, and that it counts only when all of its runs are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.study.confirmed_runs import Confirmation, gather
from lrsearch.study.finalists import Finalist
from lrsearch.study.middle import cost, middle
from lrsearch.study.plan import Plan

SEEDS = [1000, 1001, 1002, 1003]
LR = 0.1
NOISE = np.array([-0.2, 0.1, 0.0, 0.1])
DONE = Plan(4, 20, None, True, (), True)


def runs(lr: float, values: Sequence[float]) -> list[FrozenTrial]:
    found = []
    for seed, value in zip(SEEDS, values, strict=False):
        params = {"lr": lr, "scheduler": "cosine", "seed": seed}
        kinds = {name: CategoricalDistribution([own]) for name, own in params.items()}
        found.append(create_trial(value=value, params=params, distributions=kinds, intermediate_values={1: value}))
    return found


def finalist(lr: float, role: Any = "search") -> Finalist:
    return Finalist({"lr": lr, "scheduler": "cosine"}, role, None, None, 4)


def confirmation(beside: dict[float, float], *more: Finalist, trials: Sequence[FrozenTrial] = ()) -> Confirmation:
    """A recommended rate that comes to 10, and flanks that come to so much more; the margin is 0.1."""
    flanks = [finalist(lr, "beside") for lr in beside]
    own = [
        *runs(LR, list(10 + NOISE)),
        *(run for lr, off in beside.items() for run in runs(lr, list(10 + off - NOISE))),
    ]
    return Confirmation("holdout", 50, "", SEEDS, [finalist(LR), *more], DONE, [*own, *trials], beside=flanks)


@pytest.mark.parametrize(
    ("beside", "wanted"),
    [
        ({LR / 2: 0.05, LR * 2: 3.0}, LR / 2**0.5),
        ({LR / 2: 3.0, LR * 2: -1.0}, LR * 2**0.5),
        ({LR / 2: 3.0, LR * 2: 3.0}, None),
        ({LR / 2: 0.05, LR * 2: 0.05}, None),
        ({LR / 2: 0.05}, LR / 2**0.5),
        ({}, None),
    ],
    ids=["half is as good", "twice is better", "a peak", "a plateau, it is the middle", "half alone", "no flanks"],
)
def test_the_middle_of_the_rates_within_the_margin(beside: dict[float, float], wanted: float | None) -> None:
    own = confirmation(beside)
    found = middle(own.finalists, gather(own))
    if wanted is None:
        assert found is None
        return
    assert found is not None
    assert found.lr == pytest.approx(wanted, rel=1e-5)
    assert (found.role, found.seeds, found.params["scheduler"]) == ("middle", 4, "cosine")


def test_there_is_one_at_most_and_none_that_a_finalist_has() -> None:
    near = {LR / 2: 0.05}
    before = confirmation(near, finalist(0.3, "middle"), trials=runs(0.3, [20.0] * 4))
    assert middle(before.finalists, gather(before)) is None
    known = confirmation(near, finalist(LR / 2**0.5), trials=runs(LR / 2**0.5, [20.0] * 4))
    assert middle(known.finalists, gather(known)) is None


def test_a_flank_that_diverged_does_not_count() -> None:
    lost = confirmation({LR / 2: 0.05})
    *others, last = lost.trials
    failed = create_trial(state=TrialState.FAIL, params=last.params, distributions=last.distributions)
    lost = replace(lost, trials=[*others, failed])
    assert middle(lost.finalists, gather(lost)) is None


def test_the_answer_is_what_it_was_until_all_of_its_runs_have_ended() -> None:
    between = LR / 2**0.5
    plain = gather(confirmation({LR / 2: 0.05}))
    some = gather(confirmation({LR / 2: 0.05}, finalist(between, "middle"), trials=runs(between, [9.0] * 3)))
    assert some.is_finished
    assert (some.recommended.params, some.expected) == (plain.recommended.params, plain.expected)
    whole = gather(confirmation({LR / 2: 0.05}, finalist(between, "middle"), trials=runs(between, list(9 + NOISE))))
    assert whole.recommended.params["lr"] == between
    assert whole.expected.mean >= whole.recommended.mean, "having been picked flatters it, as it does any finalist"
    going_on = confirmation({LR / 2: 0.05}, finalist(between, "middle"), trials=runs(between, [9.0] * 3))
    assert gather(replace(going_on, plan=replace(DONE, done=False))).missing == 1, "rounds wait for it as for others"


def test_it_costs_as_many_runs_as_there_are_seeds() -> None:
    assert (cost(4), cost(None)) == (4, 10)
