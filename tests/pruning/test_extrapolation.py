"""A trial is judged by where it is going: it will gain once more what it gained since half of its epochs."""

from __future__ import annotations

import math
from collections.abc import Callable

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

import lrsearch
from lrsearch.errors import InputError
from lrsearch.pruning import pruners
from lrsearch.pruning.extrapolation import StratifiedExtrapolation, last_epochs, predicted
from lrsearch.pruning.stratified import StratifiedPruner
from lrsearch.study_file.model import Definition

Define = Callable[..., Definition]


def built(definition: Definition) -> StratifiedPruner:
    pruner = pruners.build(definition)
    assert isinstance(pruner, StratifiedPruner)
    return pruner


@pytest.mark.parametrize(
    ("now", "then", "end"),
    [(3.0, 5.0, 1.0), (3.0, 3.0, 3.0), (5.0, 3.0, 5.0), (3.0, math.inf, 3.0), (math.inf, 3.0, math.inf), (-1, 0, -2)],
)
def test_the_last_gain_comes_once_more(now: float, then: float, end: float) -> None:
    assert predicted(now, then) == end


@given(st.integers(0, 10_000))
def test_it_looks_at_few_epochs_near_the_end(end: int) -> None:
    epochs = last_epochs(end)
    assert len(epochs) <= 5
    assert all(0.65 * end - 1 <= epoch <= end for epoch in epochs)
    assert not end or epochs[-1] == end


def test_a_single_lucky_epoch_decides_nothing() -> None:
    """A trial that falls to 1 in one epoch only is judged by the others."""
    pruner = StratifiedExtrapolation([100], 0.5)
    steady = dict.fromkeys(pruner.looks(100), 4.0)
    assert pruner.judged(100, steady) == (4.0, 4.0)
    assert pruner.judged(100, {**steady, 100: 1.0}) == (4.0, 4.0)


def study_of(curves: list[list[float]], *, maximise: bool = False, types: str = "") -> optuna.Study:
    """Trials under way, each with its curve from epoch 1, and a letter for its scheduler type."""
    sign, study = (-1 if maximise else 1), optuna.create_study(direction="maximize" if maximise else "minimize")
    for curve, kind in zip(curves, types or "a" * len(curves), strict=True):
        study.add_trial(
            create_trial(
                state=TrialState.RUNNING,
                params={"scheduler": kind},
                distributions={"scheduler": CategoricalDistribution(["a", "b"])},
                intermediate_values={epoch: sign * value for epoch, value in enumerate(curve, 1)},
            )
        )
    return study


@pytest.mark.parametrize("maximise", [False, True])
def test_a_late_winner_goes_on_and_so_does_who_leads(maximise: bool) -> None:
    """Any Optuna study, whichever way it goes. Halving would end the one that still falls."""
    stuck = [[4.0 + 0.1 * place] * 8 for place in range(4)]
    falling, leading, hopeless = [9.0] * 4 + [5.0] * 4, [3.9] * 8, [9.0] * 8
    study = study_of([*stuck, falling, leading, hopeless], maximise=maximise)
    pruner = lrsearch.StratifiedExtrapolation([8], 0.1)
    assert [pruner.prune(study, trial) for trial in study.trials] == [True] * 4 + [False, False, True]
    halving = lrsearch.StratifiedHalving([8], 0.1)
    assert [halving.prune(study, trial) for trial in study.trials] == [True] * 5 + [False, True]


def test_the_first_of_a_type_are_compared_with_all_types() -> None:
    """The fifth and sixth are the only ones of theirs; halving knows too few of them to say anything."""
    study = study_of([*([float(value)] * 8 for value in range(1, 5)), [3.0] * 8, [0.5] * 8], types="aaaabb")
    pruner, halving = (build([8], 0.5) for build in (lrsearch.StratifiedExtrapolation, lrsearch.StratifiedHalving))
    assert [pruner.prune(study, trial) for trial in study.trials[4:]] == [True, False]
    assert [halving.prune(study, trial) for trial in study.trials[4:]] == [False, False]


@pytest.mark.parametrize(("then", "ends"), [(9.0, False), (8.1, False), (7.9, True), (6.0, True)])
def test_who_leads_a_poor_type_must_be_able_to_catch_up(then: float, ends: bool) -> None:
    """It is best of its type, and the others are at 2: from 6 it gets there if it gains twice what it has gained."""
    poor = [[9.0] * 8 for _ in range(3)]
    study = study_of([*[[2.0] * 8 for _ in range(4)], *poor, [then] * 4 + [6.0] * 4], types="aaaabbbb")
    assert lrsearch.StratifiedExtrapolation([8], 0.5).prune(study, study.trials[-1]) == ends
    assert not lrsearch.StratifiedHalving([8], 0.5).prune(study, study.trials[-1])


@pytest.mark.parametrize(("gone_on", "ends"), [(4, False), (5, True), (10, True)])
def test_once_the_share_has_gone_on_fewer_do(gone_on: int, ends: bool) -> None:
    """The fifth best of eleven, where a half goes on: six, or four as soon as 4.95 have gone on."""
    kind = {"scheduler": "a"}, {"scheduler": CategoricalDistribution(["a"])}

    def trial(state: TrialState, value: float, epochs: int) -> FrozenTrial:
        curve = dict.fromkeys(range(1, epochs + 1), value)
        own = None if state == TrialState.RUNNING else value
        return create_trial(
            state=state, value=own, params=kind[0], distributions=kind[1], intermediate_values=dict(curve)
        )

    there = [
        trial(*(TrialState.COMPLETE, place, 16) if place < gone_on else (TrialState.PRUNED, place, 8))
        for place in range(10)
    ]
    study = optuna.create_study()
    study.add_trials([*there, trial(TrialState.RUNNING, 3.5, 8)])
    assert lrsearch.StratifiedExtrapolation([8], 0.5).prune(study, study.trials[-1]) == ends


@pytest.mark.parametrize(("then", "ends"), [(9.0, False), (8.1, False), (7.9, True), (6.0, True)])
def test_the_first_of_a_type_goes_on_and_at_a_later_rung_it_must_be_able_to_catch_up(then: float, ends: bool) -> None:
    """The others are at 2: from 6 it gets there if it gains twice what it has gained."""
    study = study_of([*[[2.0] * 8 for _ in range(4)], [then] * 4 + [6.0] * 4], types="aaaab")
    own = study.trials[-1]
    assert lrsearch.StratifiedExtrapolation([4, 8], 0.5).prune(study, own) == ends
    assert not lrsearch.StratifiedExtrapolation([8], 0.5).prune(study, own)
    assert not lrsearch.StratifiedHalving([4, 8], 0.5).prune(study, own)


def test_values_that_are_missing_are_not_looked_at() -> None:
    """Whoever reports every fourth epoch only can be pruned, too."""
    study = study_of([[float(place)] * 8 for place in range(6)])
    sparse = optuna.create_study()
    for trial in study.trials:
        values = {step: value for step, value in trial.intermediate_values.items() if step % 4 == 0}
        sparse.add_trial(
            create_trial(
                state=trial.state, params=trial.params, distributions=trial.distributions, intermediate_values=values
            )
        )
    pruner = StratifiedExtrapolation([8], 0.5)
    decided = [[pruner.prune(there, trial) for trial in there.trials] for there in (study, sparse)]
    assert decided == [[False] * 2 + [True] * 4] * 2


@pytest.mark.parametrize(
    ("epochs", "shares"),
    [(60, {8: 0.7, 30: 0.3}), (480, {60: 0.7, 240: 0.3}), (8, {2: 0.7, 4: 0.3}), (4, {2: 0.3}), (2, {}), (1, {})],
)
def test_the_default_compares_after_an_eighth_and_after_half(
    define: Define, epochs: int, shares: dict[int, float]
) -> None:
    """No end can be predicted from one epoch, and nobody is ended after the last one."""
    definition = define(training={"epochs": epochs})
    assert (definition.pruner.name, definition.pruner.options["audit"]) == ("extrapolation", 0.05)
    assert built(definition).shares == shares
    assert list(pruners.rungs(definition)) == list(shares)


@pytest.mark.parametrize(
    ("given_keys", "shares"),
    [
        ({"rungs": [0.25, 0.5, 0.75]}, {15: 0.7, 30: 0.3, 45: 0.3}),
        ({"rungs": [0.25, 0.5], "keep": 0.333}, {15: 0.333, 30: 0.333}),
        ({"rungs": [0.5, 0.25], "keep": [0.2, 0.8]}, {15: 0.8, 30: 0.2}),
        ({"keep": 0.5}, {8: 0.5, 30: 0.5}),
    ],
)
def test_rungs_and_shares_can_be_set(define: Define, given_keys: dict[str, object], shares: dict[int, float]) -> None:
    """Also without a name, as files did when halving was the default."""
    assert built(define(training={"epochs": 60}, pruner=given_keys)).shares == shares


def test_a_share_is_missing(define: Define) -> None:
    with pytest.raises(InputError, match="keep must be one share, or a list with one for each of the rungs"):
        define(pruner={"name": "extrapolation", "rungs": [0.5], "keep": [0.5, 0.6]})
    with pytest.raises(InputError, match=r"pruner\.keep"):
        define(pruner={"name": "extrapolation", "keep": [1.5, 0.6]})
