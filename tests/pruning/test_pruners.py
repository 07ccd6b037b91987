"""Stratified halving against the rule written out slowly."""

from __future__ import annotations

import math
from collections.abc import Callable

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from lrsearch.pruning import pruners
from lrsearch.pruning.comparison import survivors
from lrsearch.pruning.halving import StratifiedHalving
from lrsearch.study_file.model import Definition

KINDS = CategoricalDistribution(["a", "b"])


def study_of(trials: list[tuple[str, float, TrialState]]) -> optuna.Study:
    """Trials of two types with a value at step 5; the last one is the one asked about."""
    study = optuna.create_study()
    for kind, value, state in trials:
        study.add_trial(
            create_trial(
                state=state,
                value=value if state == TrialState.COMPLETE and not math.isnan(value) else None
                if state != TrialState.COMPLETE else 0.0,
                params={"scheduler": kind},
                distributions={"scheduler": KINDS},
                intermediate_values={5: value},
            )
        )  # fmt: skip
    return study


def goes_on(trials: list[tuple[str, float, TrialState]], keep: float) -> bool:
    """The rule of the design, one sentence a line."""
    kind = trials[-1][0]
    values = [math.inf if math.isnan(v) else v for k, v, state in trials if k == kind and state != TrialState.FAIL]
    if len(values) <= 3:
        return True
    order = sorted(range(len(values)), key=lambda i: (values[i], i))
    return order.index(len(values) - 1) < max(1, math.floor(len(values) * keep + 0.5))


finished = st.sampled_from([TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING, TrialState.FAIL])
rows = st.tuples(st.sampled_from("ab"), st.sampled_from([1.0, 2.0, 3.0, math.inf, math.nan]), finished)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    st.lists(rows, max_size=14), st.sampled_from("ab"), st.sampled_from([1.0, 2.0, 3.0]), st.sampled_from([0.333, 0.5])
)
def test_equals_the_rule(others: list[tuple[str, float, TrialState]], kind: str, value: float, keep: float) -> None:
    trials = [*others, (kind, value, TrialState.RUNNING)]
    study = study_of(trials)
    asked = study.trials[-1]
    pruner = StratifiedHalving([5, 10], keep)
    assert pruner.prune(study, asked) is not goes_on(trials, keep)
    assert pruner.prune(study, asked) is not goes_on(trials, keep), "asking changed the answer"


def test_only_rungs_prune() -> None:
    study = study_of([("a", 1.0, TrialState.COMPLETE)] * 8 + [("a", 9.0, TrialState.RUNNING)])
    assert StratifiedHalving([5], 0.333).prune(study, study.trials[-1])
    assert not StratifiedHalving([4, 6], 0.333).prune(study, study.trials[-1])


@pytest.mark.parametrize(("trials", "kept"), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 2), (9, 3), (300, 100)])
def test_a_third_is_a_third(trials: int, kept: int) -> None:
    """0.333 in a study file means a third, also of 6."""
    assert survivors(trials, 0.333) == kept


@pytest.mark.parametrize(("epochs", "expected"), [(60, [5, 15, 30]), (4, [1, 2]), (1, []), (2, [1])])
def test_rungs_are_epochs_before_the_last(define: Callable[..., Definition], epochs: int, expected: list[int]) -> None:
    assert list(pruners.rungs(define(training={"epochs": epochs}, pruner={"name": "halving"}))) == expected
