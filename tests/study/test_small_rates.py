"""It is said that small rates may have been lost where there is reason to think so, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial
from scipy.stats import spearmanr

from lrsearch.storage.attributes import AUDIT_VALUE
from lrsearch.study import small_rates as module
from lrsearch.study.small_rates import SmallRates, small_rates

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


def test_a_trend_is_what_scipy_calls_one() -> None:
    """With ties and without, rising and falling, to the last places."""
    rng = np.random.default_rng(0)
    for count in (8, 9, 30, 300):
        rates = rng.integers(0, 9, count).tolist()
        for values in (rng.normal(size=count), rates + rng.normal(size=count), rng.integers(0, 3, count), rates):
            wanted = spearmanr(rates, values, alternative="greater").pvalue
            assert module._chance_of_rising(rates, list(values)) == pytest.approx(wanted, rel=1e-9, abs=1e-15)
