"""Importance by PED-ANOVA, against Optuna's evaluator."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from lrsearch.report import ped_anova

KINDS: Mapping[str, BaseDistribution] = {
    "lr": FloatDistribution(1e-4, 0.3, log=True),
    "decay": FloatDistribution(0.8, 0.999),
    "stepped": FloatDistribution(0.0, 1.0, step=0.25),
    "epochs": IntDistribution(3, 200),
    "patience": IntDistribution(1, 64, log=True),
    "scheduler": CategoricalDistribution(["constant", "lambda", "cosine"]),
}


def sampled(trials: int) -> tuple[dict[str, list[object]], np.ndarray]:
    """Values of each parameter, some of them equal, and losses that depend on two of them."""
    rng = np.random.default_rng(1)
    drawn = {
        "lr": np.exp(rng.uniform(np.log(1e-4), np.log(0.3), trials)).tolist(),
        "decay": rng.choice([0.8, 0.9, 0.999, 0.95], trials).tolist(),
        "stepped": rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], trials).tolist(),
        "epochs": rng.integers(3, 201, trials).tolist(),
        "patience": rng.integers(1, 65, trials).tolist(),
        "scheduler": rng.choice(["constant", "lambda", "cosine"], trials).tolist(),
    }
    rates = np.log(np.array(drawn["lr"]))
    losses = (rates + 4) ** 2 + 0.02 * np.array(drawn["epochs"]) + rng.integers(0, 3, trials)
    return drawn, losses


@pytest.mark.parametrize("trials", [20, 300])
def test_a_divergence_is_that_of_optuna(trials: int) -> None:
    drawn, losses = sampled(trials)
    best = ped_anova.are_best(losses)
    ours = {name: ped_anova.divergence(drawn[name], kind, best) for name, kind in KINDS.items()}
    study = optuna.create_study()
    for number, loss in enumerate(losses):
        params = {name: drawn[name][number] for name in KINDS}
        study.add_trial(optuna.create_trial(value=float(loss), params=params, distributions=dict(KINDS)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        theirs = optuna.importance.PedAnovaImportanceEvaluator().evaluate(study)
    # Theirs has a factor that is the same for all parameters.
    factor = theirs["lr"] / ours["lr"]
    assert theirs == pytest.approx({name: factor * own for name, own in ours.items()}, rel=1e-9)


def test_a_value_outside_of_its_range_is_refused() -> None:
    best = np.array([True, False])
    with pytest.raises(ValueError, match="outside"):
        ped_anova.divergence([0.5, 0.1], KINDS["lr"], best)
    with pytest.raises(ValueError, match="warm"):
        ped_anova.divergence(["constant", "warm"], KINDS["scheduler"], best)


def test_those_that_equal_the_last_of_the_best_are_among_them() -> None:
    losses = np.array([3.0, 1.0, 2.0, 1.0, *[9.0] * 6])
    assert ped_anova.are_best(losses).tolist() == [False, True, False, True, *[False] * 6]
