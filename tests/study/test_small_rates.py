"""It is said that small rates may have been lost where there is reason to think so, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.storage.attributes import AUDIT_VALUE
from lrsearch.study.small_rates import SmallRates, chance_of_trend, small_rates

AXES = {"lr": FloatDistribution(1e-5, 1.0, log=True), "scheduler": CategoricalDistribution(["constant"])}


def trial(number: int, lr: float, value: float, *, pruned: bool = False, audit: float | None = None) -> FrozenTrial:
    made = create_trial(
        state=TrialState.PRUNED if pruned else TrialState.COMPLETE,
        value=value,
        params={"lr": lr, "scheduler": "constant"},
        distributions=AXES,
        user_attrs={} if audit is None else {AUDIT_VALUE: audit},
        intermediate_values={1: value},
    )
    made.number = number
    return made


def finished(values: list[float]) -> list[FrozenTrial]:
    """Each with twice the rate of the one before."""
    return [trial(number, 0.001 * 2**number, value) for number, value in enumerate(values)]


def ended(count: int, audit: float | None = None, lr: float = 1e-4) -> list[FrozenTrial]:
    return [trial(100 + place, lr, 9.0, pruned=True, audit=audit) for place in range(count)]


RISING = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]


def test_smaller_rates_did_better_and_some_were_pruned() -> None:
    trials = [*finished(RISING), *ended(4)]
    assert small_rates(trials, (), maximise=False) == SmallRates(4, 0.001)
    assert small_rates(trials, {100}, maximise=False) == SmallRates(3, 0.001)
    upside_down = [*finished([-value for value in RISING]), *ended(4)]
    assert small_rates(upside_down, (), maximise=True) == SmallRates(4, 0.001)


@pytest.mark.parametrize(
    "trials",
    [
        [*finished(RISING), *ended(2)],
        [*finished(RISING), *ended(5, lr=0.5)],
        [*finished(RISING), *ended(5, audit=1.1)],
        [*finished(RISING[:7]), *ended(5)],
        [*finished(RISING[::-1]), *ended(5)],
        [*finished([5.0, 3.0, 2.0, 1.0, 1.5, 3.0, 5.0, 7.0]), *ended(5)],
        [*finished([1.0] * 8), *ended(5)],
        [],
    ],
    ids=["few", "large ones", "audited", "few finished", "larger is better", "in the middle", "all equal", "none"],
)
def test_nothing_is_said(trials: list[FrozenTrial]) -> None:
    assert small_rates(trials, (), maximise=False) is None


@settings(max_examples=8)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=3, max_size=30))
def test_the_chance_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    from scipy.stats import spearmanr

    rates, values = zip(*pairs, strict=True)
    assume(len(set(rates)) > 1 and len(set(values)) > 1)
    expected = spearmanr(rates, values, alternative="greater").pvalue
    assert chance_of_trend(rates, values) == pytest.approx(expected, rel=1e-6, abs=1e-5)
