"""What is said of a few rates: which are too small, which too large."""

from __future__ import annotations

from collections.abc import Callable

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.report import rate_effects
from lrsearch.report.frames import read

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]
CURVES = {
    0.001: [30.0, 29.0, 28.0, 27.0, 26.0, 25.0, 24.0, 23.0],
    0.01: [30.0, 20.0, 12.0, 10.0, 9.0, 8.6, 8.5, 8.5],
    0.1: [30.0, 9.0, 15.0, 9.0, 16.0, 9.5, 9.2, 9.1],
}


def with_curve(made: FrozenTrial, curve: list[float]) -> FrozenTrial:
    return create_trial(
        state=TrialState.COMPLETE,
        value=curve[-1],
        params=made.params,
        distributions=made.distributions,
        user_attrs=made.user_attrs,
        intermediate_values=dict(enumerate(curve, 1)),
    )


def test_small_rates_still_fall_and_large_ones_jump(trial: Make, study: MakeStudy) -> None:
    trials = [with_curve(trial(lr=lr), curve) for lr, curve in CURVES.items()]
    assert rate_effects.sentences(read(study([*trials, trial(lr=1.0, diverged=True)]))) == [
        "On this seed 0.01 did best.",
        "0.001 is too small: still improving at the end.",
        "0.1 is too large: the error rises by up to 78 % within one epoch.",
        "1 is far too large: training diverged.",
    ]


def test_nothing_is_said_where_more_than_the_rate_differs(trial: Make, study: MakeStudy) -> None:
    trials = [with_curve(trial(lr=lr), curve) for lr, curve in CURVES.items()]
    assert rate_effects.sentences(read(study([*trials, trial(scheduler="lambda")]))) == []
    assert rate_effects.sentences(read(study([*trials, trial(state="pruned", epochs=2)], "pruned"))) == []
    assert rate_effects.sentences(read(study(trials[:2], "two"))) == []
