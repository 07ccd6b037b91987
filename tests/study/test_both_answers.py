"""Both answers, for those who keep the last epoch and for those who keep the best."""

from __future__ import annotations

import numpy as np
import pytest

from lrsearch.study.both_answers import both_answers
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
    assert both_answers([contender(0.1, [])], maximise=False) is None
