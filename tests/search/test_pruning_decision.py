"""Halving as runs and forecasts decide it, against one slow and obvious reference."""

from __future__ import annotations

import math

from databases import close
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from lrsearch.pruning import pruners
from lrsearch.pruning.halving import StratifiedHalving
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

RUNG, KEEP = 1, 0.4
Generations = list[list[tuple[str, float]]]

definition = parse(
    {
        "study": {"name": "halved", "trials": 60},
        "task": {"name": "polynomial", "rows": 20},
        "training": {"epochs": 4},
        "search": {"schedulers": ["constant", "lambda"]},
        "pruner": {"name": "halving", "rungs": [0.25], "keep": KEEP},
    },
    "test",
)
trials = st.tuples(st.sampled_from(["constant", "lambda"]), st.sampled_from([1.0, 2.0, 3.0, 4.0, math.inf, math.nan]))
generations = st.lists(st.lists(trials, min_size=1, max_size=9), min_size=1, max_size=5)


def reference(there: Generations) -> list[bool]:
    """Whether each trial ends, one sentence a line."""
    ends = []
    before: list[tuple[str, float, int]] = []
    number = 0
    for generation in there:
        finite = [(kind, math.inf if math.isnan(value) else value) for kind, value in generation]
        arrived = [(kind, value, number + place) for place, (kind, value) in enumerate(finite)]
        for place, (kind, value, own) in enumerate(arrived):
            alike = [trial for trial in arrived if trial[0] == kind]
            if len(alike) <= 3:  # too few: those seen before, and who came just before it
                alike = [trial for trial in [*before, *arrived[: place + 1]] if trial[0] == kind]
            better = [trial for trial in alike if (trial[1], trial[2]) < (value, own)]
            share = max(1, math.floor(KEEP * len(alike) + 0.5))
            ends.append(len(alike) > 3 and len(better) >= share)
        before += arrived
        number += len(arrived)
    return ends


def of_forecast(there: Generations) -> list[bool]:
    pruner = pruners.build(definition)
    assert isinstance(pruner, StratifiedHalving)
    rungs, ends, number = Rungs(pruner), [], 0
    for generation in there:
        players = [Player(number + place, *own) for place, own in enumerate(generation)]
        number += len(players)
        live = rungs.pass_on(RUNG, players)
        ends += [player not in live for player in players]
    return ends


def of_run(there: Generations, *, together: bool) -> list[bool]:
    """Trials of a database that say they came to these values."""
    storage = open_storage("sqlite://", create=True)
    stored = opening.store(storage, definition, opening.build_task(definition))
    store, space = trial_store(stored.study, storage), Space.of(definition)
    decide = PruningDecision(stored, pruners.build(definition), together)
    ends: list[bool] = []
    for generation in there:
        claims = store.claim(len(generation), definition.trials, Worker.this().as_dict())
        values = dict(zip(claims, generation, strict=True))
        chosen = {claim: space.settle({"scheduler": kind}, lowest) for claim, (kind, _) in values.items()}
        store.choose({claim.trial_id: own for claim, own in chosen.items()})
        decide.begin({claim: settings_from(own.params) for claim, own in chosen.items()})
        store.record({claim.trial_id: {RUNG: value} for claim, (_, value) in values.items()})
        ended = decide({claim: trace_of(value) for claim, (_, value) in values.items()})
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


def trace_of(value: float) -> TrialTrace:
    trace = TrialTrace([0])
    trace.test = [value]
    return trace


@settings(derandomize=True, deadline=None, max_examples=200)
@given(generations)
def test_a_forecast_decides_as_the_rule_says(there: Generations) -> None:
    assert of_forecast(there) == reference(there)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(generations)
def test_a_run_that_trains_generations_decides_as_the_rule_says(there: Generations) -> None:
    assert of_run(there, together=True) == reference(there)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(st.lists(trials, min_size=1, max_size=25))
def test_a_run_that_trains_one_after_the_other_decides_as_the_rule_says(there: list[tuple[str, float]]) -> None:
    alone = [[trial] for trial in there]
    assert of_run(alone, together=False) == reference(alone) == of_forecast(alone)
