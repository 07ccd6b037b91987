"""The mixture of kernels: the same density as Optuna's, and draws that follow it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters

from lrsearch.sampling.parzen import Mixture, Numbers, by_age
from lrsearch.sampling.proposer import at

AXES: dict[str, BaseDistribution] = {
    "lr": FloatDistribution(1e-4, 0.3, log=True),
    "scheduler": CategoricalDistribution(["constant", "lambda", "power"]),
    "decay": FloatDistribution(0.8, 0.999),
    "patience": IntDistribution(1, 400),
    "restarts": IntDistribution(1, 400, log=True),
}


def drawn(seed: int, number: int) -> Numbers:
    """Points that fill the axes evenly; [number, axes]."""
    rng = np.random.default_rng(seed)
    rows = [[axis.to_internal_repr(at(axis, rng.random())) for axis in AXES.values()] for _ in range(number)]
    points = np.array(rows).reshape(number, len(AXES))
    # Which of two equal values gets the wider kernel is chance in Optuna, so integers are all different.
    points[:, 3:] = np.column_stack([rng.permutation(400)[:number] + 1, rng.permutation(400)[:number] + 1])
    return points


@given(trials=st.integers(0, 60), seed=st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_the_density_is_that_of_optunas_estimator(trials: int, seed: int) -> None:
    points, asked = drawn(seed, trials), drawn(seed + 1, 20)
    parameters = _ParzenEstimatorParameters(1.0, True, False, by_age, True)
    theirs = _ParzenEstimator(dict(zip(AXES, points.T, strict=True)), AXES, parameters)
    expected = theirs.log_pdf(dict(zip(AXES, asked.T, strict=True)))
    np.testing.assert_allclose(Mixture(list(AXES.values()), points).log_density(asked), expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("trials", [0, 1, 24, 25, 26, 300])
def test_weights_are_optunas(trials: int) -> None:
    from optuna.samplers._tpe.sampler import default_weights

    np.testing.assert_allclose(by_age(trials), default_weights(trials))


def test_what_a_trial_lacks_is_left_to_the_prior_and_what_a_point_lacks_to_the_others() -> None:
    """Of two types each has its own parameter; the density of the shared ones is that of a mixture without it."""
    axes = [AXES["lr"], AXES["scheduler"], AXES["decay"]]
    points = drawn(0, 30)[:, :3]
    points[points[:, 1] != 1, 2] = np.nan
    whole, shared = Mixture(axes, points), Mixture(axes[:2], points[:, :2])
    asked = drawn(1, 10)[:, :3]
    asked[:, 2] = np.nan
    np.testing.assert_allclose(whole.log_density(asked), shared.log_density(asked[:, :2]))


def test_completions_follow_the_density_given_what_is_known() -> None:
    """Of many completions the share below each value is that of the density, summed up over the axis."""
    axes = [AXES["lr"], AXES["decay"]]
    mixture = Mixture(axes, drawn(3, 12)[:, [0, 2]])
    known = np.array([[0.01, np.nan]])
    rows = mixture.complete(np.random.default_rng(0), known, 20_000)
    assert (rows[:, 0] == 0.01).all()
    grid = np.linspace(0.8, 0.999, 2001)
    density = np.exp(mixture.log_density(np.column_stack([np.full(2001, 0.01), grid])))
    below = density.cumsum() / density.sum()
    found = np.searchsorted(np.sort(rows[:, 1]), grid) / len(rows)
    assert np.abs(found - below).max() < 0.015  # Kolmogorov-Smirnov: 1.5 % at this size is p < 0.001


def test_draws_stay_on_their_axes() -> None:
    mixture = Mixture(list(AXES.values()), drawn(5, 40))
    rows = mixture.complete(np.random.default_rng(1), np.full((1, len(AXES)), np.nan), 2000)
    for column, axis in enumerate(AXES.values()):
        assert all(axis._contains(value) for value in rows[:, column])
