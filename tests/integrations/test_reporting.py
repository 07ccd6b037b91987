"""Reports of a plain loop, and who ends by lrsearch's rule."""

from __future__ import annotations

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution

from lrsearch.integrations.reporting import report, shares


@pytest.mark.parametrize(
    ("steps", "every", "expected"),
    [(60, 1, [8, 30]), (4, 1, [2]), (60, 10, [10, 30]), (1, 1, []), (2, 2, [])],
)
def test_rungs_are_evaluations(steps: int, every: int, expected: list[int]) -> None:
    assert list(shares(steps, every)) == expected


TYPE, SEED = CategoricalDistribution(["a", "b"]), IntDistribution(0, 9)


def ended(params: dict[str, object], direction: str = "minimize", value: float = 9.0) -> bool:
    """Whether a trial ends at the rung, epoch 2 of 4, after five of type a that came to 1 there."""
    study = optuna.create_study(direction=direction)
    for _ in range(5):
        study.enqueue_trial({"scheduler": "a"})
        trial = study.ask({"scheduler": TYPE})
        report(trial, 1.0, 2, 4, prune=False)
        study.tell(trial, 1.0)
    study.enqueue_trial(params)
    trial = study.ask({"scheduler": TYPE, **({"seed": SEED} if "seed" in params else {})})
    try:
        report(trial, value, 2, 4)
    except optuna.TrialPruned:
        return True
    return False


def test_the_worst_of_a_type_ends() -> None:
    assert ended({"scheduler": "a"})
    assert not ended({"scheduler": "a"}, value=0.5)
    assert ended({"scheduler": "a"}, "maximize", 0.5)


def test_another_type_and_a_confirmation_do_not() -> None:
    assert not ended({"scheduler": "b"})
    assert not ended({"scheduler": "a", "seed": 1})
