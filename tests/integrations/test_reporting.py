"""Reports of a plain loop, and who ends by lrsearch's rule."""

from __future__ import annotations

import optuna
import pytest
from optuna.distributions import CategoricalDistribution

from lrsearch.integrations.reporting import report, rungs


@pytest.mark.parametrize(
    ("steps", "every", "expected"),
    [(60, 1, [5, 15, 30]), (4, 1, [1, 2]), (60, 10, [10, 20, 30]), (1, 1, []), (2, 2, [])],
)
def test_rungs_are_evaluations(steps: int, every: int, expected: list[int]) -> None:
    assert rungs(steps, every) == expected


def ended(params: dict[str, object], direction: str = "minimize", value: float = 9.0) -> bool:
    study = optuna.create_study(direction=direction)
    for _ in range(5):
        trial = study.ask({"scheduler": CategoricalDistribution(["a"])})
        report(trial, 1.0, 1, 4, prune=False)
        study.tell(trial, 1.0)
    trial = study.ask({name: CategoricalDistribution([params[name]]) for name in params})
    try:
        report(trial, value, 1, 4)
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
