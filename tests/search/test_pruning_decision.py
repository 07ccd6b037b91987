"""Who goes on at a rung, as runs and forecasts decide it, against one slow and obvious reference."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from databases import close
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from lrsearch.pruning import pruners
from lrsearch.pruning.lane_cost import ONE_BY_ONE, LaneCost
from lrsearch.pruning.stratified import StratifiedPruner
from lrsearch.sampling.space import Space, settings_from
from lrsearch.search.pruning_decision import PruningDecision
from lrsearch.search.trial_curves import TrialTrace
from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import TrialEnd
from lrsearch.study import open as opening
from lrsearch.study.forecast import Player, Rungs
from lrsearch.study_file.load import parse
from lrsearch.study_file.model import Definition

EPOCHS, RUNG, KEEP = 8, 4, 0.4
PRUNERS = ["halving", "extrapolation"]
Trial = tuple[str, float, float]
"""Scheduler type, value until half of the rung's epochs, value from then on."""
Generations = list[list[Trial]]


def definition_of(pruner: str, later: bool = False) -> Definition:
    """The rung that is looked at is the only one, or there is an earlier one."""
    return parse(
        {
            "study": {"name": "halved", "trials": 60},
            "task": {"name": "polynomial", "rows": 20},
            "training": {"epochs": EPOCHS},
            "search": {"schedulers": ["constant", "lambda"]},
            "pruner": {"name": pruner, "rungs": [0.25, 0.5] if later else [0.5], "keep": KEEP},
        },
        "test",
    )


numbers = st.sampled_from([1.0, 2.0, 3.0, 4.0, math.inf, math.nan])
trials = st.tuples(st.sampled_from(["constant", "lambda"]), numbers, numbers)
generations = st.lists(st.lists(trials, min_size=1, max_size=9), min_size=1, max_size=5)


def finite(value: float) -> float:
    return math.inf if math.isnan(value) else value


def end_of(pruner: str, then: float, now: float) -> float:
    """What a trial is judged by."""
    falls = math.isfinite(then) and math.isfinite(now) and now < then
    return now + (now - then) if pruner == "extrapolation" and falls else now


def behind(value: float, now: float, own: int, others: Sequence[tuple[str, float, float, int]], keep: float) -> bool:
    """Not among the best share, and not the leader."""
    better = [trial for trial in others if (trial[1], trial[3]) < (value, own)]
    leads = all((trial[2], trial[3]) > (now, own) for trial in others)
    return len(better) >= max(1, math.floor(keep * (len(others) + 1) + 0.5)) and not leads


def reference(there: Generations, pruner: str, *, together: bool, later: bool = False) -> list[bool]:
    """Whether each trial ends, one sentence a line."""
    ends = []
    before: list[tuple[str, float, float, int]] = []
    number = 0
    for generation in there:
        known = [(kind, finite(then), finite(now)) for kind, then, now in generation]
        arrived = [
            (kind, end_of(pruner, then, now), now, number + place) for place, (kind, then, now) in enumerate(known)
        ]
        for place, (kind, value, now, own) in enumerate(arrived):
            everybody = [trial for trial in [*before, *arrived] if trial[3] != own]
            alike = [trial for trial in arrived if trial[0] == kind and trial[3] != own]
            one_by_one = len(alike) < 3
            if one_by_one:  # too few: those seen before, and who came just before it
                alike = [trial for trial in [*before, *arrived[:place]] if trial[0] == kind]
            # One by one fewer go on while nine tenths of the share have: each generation is one trial then.
            spent = not together and ends.count(False) >= 0.9 * KEEP * (own + 1)
            keep = 0.7 * KEEP if spent and pruner == "extrapolation" else KEEP
            few = len(alike) < 3
            if few and pruner == "extrapolation":
                alike = everybody
            is_first = one_by_one and not [it for it in [*before, *arrived[:place]] if it[0] == kind]
            hoped = value - (now - value) if math.isfinite(now - value) else value  # the gain once more
            if is_first:
                hopeless = len(everybody) >= 3 and behind(hoped, now, own, everybody, keep)
                ends.append(hopeless and later and pruner == "extrapolation")
                continue
            ends.append(len(alike) >= 3 and behind(value, now, own, alike, keep))
            if one_by_one and not few and pruner == "extrapolation":  # hopeless among all types
                ends[-1] |= behind(hoped, now, own, everybody, keep)
        before += arrived
        number += len(arrived)
    return ends


def of_forecast(there: Generations, name: str, *, together: bool, later: bool = False) -> list[bool]:
    """Trials that are only a number."""
    pruner = pruners.build(definition_of(name, later))
    assert isinstance(pruner, StratifiedPruner)
    rungs, ends, number = Rungs(pruner, together=together), [], 0
    for generation in there:
        players = [Player(number + place, kind, now) for place, (kind, _, now) in enumerate(generation)]
        number += len(players)
        live = rungs.pass_on(RUNG, players)
        ends += [player not in live for player in players]
    return ends


def of_run(
    there: Generations, pruner: str, *, together: bool, later: bool = False, cost: LaneCost = ONE_BY_ONE
) -> list[bool]:
    """Trials of a database that say they came to these values."""
    definition = definition_of(pruner, later)
    storage = open_storage("sqlite://", create=True)
    stored = opening.store(storage, definition, opening.build_task(definition))
    store, space = trial_store(stored.study, storage), Space.of(definition)
    decide = PruningDecision(stored, pruners.build(definition), together, cost, evaluations=EPOCHS)
    ends: list[bool] = []
    for generation in there:
        claims = store.claim(len(generation), definition.trials, Worker.this().as_dict())
        values = dict(zip(claims, generation, strict=True))
        chosen = {claim: space.settle({"scheduler": kind}, lowest) for claim, (kind, _, _) in values.items()}
        store.choose({claim.trial_id: own for claim, own in chosen.items()})
        decide.begin({claim: settings_from(own.params) for claim, own in chosen.items()})
        curves = {claim: [then] * (RUNG // 2) + [now] * (RUNG - RUNG // 2) for claim, (_, then, now) in values.items()}
        store.record({claim.trial_id: dict(enumerate(curve, 1)) for claim, curve in curves.items()})
        ended = decide({claim: trace_of(curve) for claim, curve in curves.items()})
        ends += [claim in ended for claim in claims]
        states = {claim: TrialState.PRUNED if claim in ended else TrialState.COMPLETE for claim in claims}
        store.finish([TrialEnd(claim.trial_id, state, 1.0) for claim, state in states.items()])
    close(storage)
    return ends


def lowest(_: str, axis: BaseDistribution) -> object:
    """The same settings for everybody, but for the scheduler type."""
    if isinstance(axis, CategoricalDistribution):
        return axis.choices[0]
    assert isinstance(axis, (FloatDistribution, IntDistribution))
    return axis.low


def trace_of(curve: list[float]) -> TrialTrace:
    trace = TrialTrace([0])
    trace.test = curve
    return trace


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("pruner", PRUNERS)
@settings(derandomize=True, deadline=None, max_examples=200)
@given(generations)
def test_a_forecast_decides_as_the_rule_says(pruner: str, later: bool, there: Generations) -> None:
    steady = [[(kind, now, now) for kind, _, now in generation] for generation in there]
    alone = [[trial] for generation in steady for trial in generation]
    for own, together in ((steady, True), (alone, False)):
        expected = reference(own, pruner, together=together, later=later)
        assert of_forecast(own, pruner, together=together, later=later) == expected


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("pruner", PRUNERS)
@settings(derandomize=True, deadline=None, max_examples=10)
@given(generations)
def test_a_run_that_trains_generations_decides_as_the_rule_says(pruner: str, later: bool, there: Generations) -> None:
    expected = reference(there, pruner, together=True, later=later)
    assert of_run(there, pruner, together=True, later=later) == expected


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("pruner", PRUNERS)
@settings(derandomize=True, deadline=None, max_examples=8)
@given(st.lists(trials, min_size=1, max_size=25))
def test_a_run_that_trains_one_after_the_other_decides_as_the_rule_says(
    pruner: str, later: bool, there: list[Trial]
) -> None:
    alone = [[trial] for trial in there]
    expected = reference(alone, pruner, together=False, later=later)
    assert of_run(alone, pruner, together=False, later=later) == expected


def test_few_of_a_type_are_compared_with_all_types() -> None:
    """The first of every type goes on, and all while fewer than three were seen; halving lets three of each pass."""
    came_to = (("constant", 1.0), ("constant", 2.0), ("lambda", 9.0), ("lambda", 4.0), ("lambda", 0.5))
    alone: Generations = [[(kind, 9.0, value)] for kind, value in came_to]
    assert of_run(alone, "extrapolation", together=False) == [False, False, False, True, False]
    assert of_run(alone, "halving", together=False) == [False] * 5


def test_a_batch_is_filled_with_those_that_came_nearest() -> None:
    """Eight take 12 seconds and twelve 13: halving ends them all the same, and one by one there is no batch."""
    there = [[("constant", 9.0, float(value)) for value in range(20)]]
    cost = LaneCost(block=4, fixed=10.0)
    alone, filled = (
        reference(there, "extrapolation", together=True),
        of_run(there, "extrapolation", together=True, cost=cost),
    )
    assert [place for place, ends in enumerate(alone) if not ends] == list(range(8))
    assert [place for place, ends in enumerate(filled) if not ends] == list(range(12))
    assert of_run(there, "halving", together=True, cost=cost) == reference(there, "halving", together=True)
    assert of_run(there[:1], "extrapolation", together=False, cost=cost)[:12] != filled[:12]


@pytest.mark.parametrize(("recording", "ends"), [(0.0, 12), (11.9, 12), (12.0, 0)])
def test_nobody_ends_where_that_would_cost_more_than_it_saves(recording: float, ends: int) -> None:
    """Four epochs with two blocks instead of five save twelve; a forecast counts likewise."""
    there = [[("constant", 9.0, float(value)) for value in range(20)]]
    cost = LaneCost(block=4, fixed=1.0, recording=recording)
    assert sum(of_run(there, "extrapolation", together=True, cost=cost)) == ends
    pruner = pruners.build(definition_of("extrapolation"))
    assert isinstance(pruner, StratifiedPruner)
    players = [Player(number, kind, now) for number, (kind, _, now) in enumerate(there[0])]
    assert len(players) - len(Rungs(pruner, 1, cost, EPOCHS).pass_on(RUNG, players)) == ends
