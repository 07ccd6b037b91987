"""Both answers, for those who keep the last epoch and for those who keep the best."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.study.both_answers import answers_of, both_answers
from lrsearch.study.contender import Contender
from lrsearch.study.snippet import Steps


def contender(lr: float, *curves: list[float]) -> Contender:
    values = np.array([curve[-1] for curve in curves])
    return Contender(
        {"lr": lr, "scheduler": "constant"}, "search", None, None, values, values, 0, 0, Steps(), values[:, None],
        len(curves), curves=tuple(map(tuple, curves)),
    )  # fmt: skip


SLOW = ([9.0, 7.0, 5.0, 4.0], [9.0, 8.0, 6.0, 4.2])
FAST = ([3.0, 5.0, 6.0, 7.0], [5.0, 3.4, 6.0, 8.0])


@pytest.mark.parametrize("sign", [1, -1])
def test_each_way_to_keep_a_run_has_its_own_best_settings(sign: int) -> None:
    slow, fast = ([[sign * value for value in curve] for curve in curves] for curves in (SLOW, FAST))
    found = both_answers([contender(0.001, *slow), contender(0.03, *fast)], maximise=sign < 0)
    assert found is not None
    assert (found.last.lr, found.last.value, found.last.epochs) == (0.001, pytest.approx(sign * 4.1), 4)
    assert (found.best.lr, found.best.value, found.best.epochs) == (0.03, pytest.approx(sign * 3.2), 2)
    assert found.disagree


def test_without_curves_or_rates_there_is_no_telling() -> None:
    assert both_answers([], maximise=False) is None
    assert both_answers([contender(0.1)], maximise=False) is None


def trial(lr: float, curve: list[float], state: TrialState = TrialState.COMPLETE, lost: float = 0.0) -> FrozenTrial:
    return create_trial(
        state=state, value=curve[-1], params={"lr": lr}, distributions={"lr": FloatDistribution(1e-9, 1e9)},
        intermediate_values=dict(enumerate(curve, 1)), constraints={"diverged": lost},
    )  # fmt: skip


@pytest.mark.parametrize("sign", [1, -1])
def test_where_nothing_is_confirmed_the_search_answers_both(sign: int) -> None:
    """A pruned trial may hold the best epoch, but has no last one; diverged and excluded ones count for neither."""
    curves = {
        0.001: ([9.0, 6.0, 5.0, 4.0], TrialState.COMPLETE, 0.0), 0.03: ([8.0, 3.0], TrialState.PRUNED, 0.0),
        0.5: ([1.0, 1.0, 1.0, 30.0], TrialState.COMPLETE, 1.0), 0.002: ([2.0, 2.0, 2.0, 2.0], TrialState.COMPLETE, 0.0),
    }  # fmt: skip
    trials = [trial(lr, [sign * own for own in curve], *rest) for lr, (curve, *rest) in curves.items()]
    for number, one in enumerate(trials):
        one.number = number
    found = answers_of(None, trials, {3}, maximise=sign < 0)
    assert found is not None
    assert not found.confirmed
    assert (found.last.lr, found.last.value, found.last.epochs) == (0.001, sign * 4.0, 4)
    assert (found.best.lr, found.best.value, found.best.epochs) == (0.03, sign * 3.0, 2)
    assert found.gain == (pytest.approx(0.25) if sign > 0 else None)
    assert found.disagree
    assert answers_of(None, trials[1:3], set(), maximise=sign < 0) is None


def test_far_rates_with_the_same_error_do_not_disagree() -> None:
    near = both_answers([contender(0.001, *SLOW), contender(0.03, [4.09, 9.0], [4.07, 9.0])], maximise=False)
    assert near is not None
    assert near.best.lr == 0.03
    assert not near.disagree
