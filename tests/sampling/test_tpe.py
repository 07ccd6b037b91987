"""TPE by generations: it finds what is good, tells good from bad as Optuna does, and never proposes a point twice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from optuna.trial import TrialState
from sampling import FUNCTIONS, by_generations, definition_of

from lrsearch import registry
from lrsearch.sampling import samplers
from lrsearch.sampling.ask import choose
from lrsearch.sampling.space import Space
from lrsearch.sampling.tpe import rank
from lrsearch.storage.past_trials import PastTrial

SEEDS = range(8)


@cache
def regrets(function: str, sampler: str, generation: int) -> Sequence[float]:
    """The best value that a search of 300 trials found, seed by seed."""
    objective = FUNCTIONS[function](Space.of(definition_of("tpe", 0)))
    return [min(by_generations(definition_of(sampler, seed), objective, 300, generation)) for seed in SEEDS]


@pytest.mark.parametrize("function", ["branin", "ridge"])
def test_generations_beat_random_search(function: str) -> None:
    """A space of seven families with parameters of their own: better at six of eight seeds, and half the regret."""
    ours, others = regrets(function, "tpe", 64), regrets(function, "random", 64)
    assert sum(mine < other for mine, other in zip(ours, others, strict=True)) >= 6
    assert np.mean(ours) < np.mean(others) / 2


def test_a_generation_holds_no_point_twice_and_does_not_crowd() -> None:
    """Many questions at once find many answers: no settings are asked for twice, and all types get their turn."""
    definition = definition_of("tpe", 1)
    space, proposer = Space.of(definition), samplers.build(definition)
    first = choose(proposer, space, {number: {} for number in range(64)}, [])
    bowls = FUNCTIONS["bowls"](space)
    told = [PastTrial(n, TrialState.COMPLETE, own.params, bowls(own.params)) for n, own in first.items()]
    proposer.learn(told)
    chosen = choose(proposer, space, {number: {} for number in range(64, 320)}, [])
    rates = sorted(math.log10(own.params["lr"]) for own in chosen.values())
    assert np.diff(rates).min() > 0
    assert len({own.params["scheduler"] for own in chosen.values()}) == len(space.schedulers)


def test_trials_are_ranked_as_optuna_ranks_them() -> None:
    """Complete by value, then pruned by how far they got, then diverged ones."""
    good = PastTrial(7, TrialState.COMPLETE, {}, 1.0)
    fair = PastTrial(6, TrialState.COMPLETE, {}, 2.0)
    late = PastTrial(5, TrialState.PRUNED, {}, None, (30, 9.0))
    early = PastTrial(4, TrialState.PRUNED, {}, None, (5, 0.5))
    lost = PastTrial(3, TrialState.PRUNED, {}, None, (5, math.nan))
    never = PastTrial(2, TrialState.PRUNED, {})
    diverged = PastTrial(1, TrialState.COMPLETE, {}, 0.1, None, 1.0)
    ordered = [good, fair, late, early, lost, never, diverged]
    ordered.reverse()
    assert [trial.number for trial in sorted(ordered, key=rank)] == [7, 6, 5, 4, 3, 2, 1]


def test_a_pruner_that_keeps_every_type_does_not_hide_which_type_is_better() -> None:
    """Each type's best three are trained to the end; those of one type are good, and it is asked for more often."""
    definition = definition_of("tpe", 1)
    space, proposer = Space.of(definition), samplers.build(definition)
    chosen = choose(proposer, space, {number: {} for number in range(210)}, [])
    complete: dict[str, int] = {}
    told = []
    for number, own in chosen.items():
        kind = own.params["scheduler"]
        complete[kind] = complete.get(kind, 0) + 1
        value = (10.0 if kind == "power" else 20.0) + number / 1000
        if complete[kind] <= 3:
            told.append(PastTrial(number, TrialState.COMPLETE, own.params, value))
        else:
            told.append(PastTrial(number, TrialState.PRUNED, own.params, None, (5, value)))
    proposer.learn(told)
    asked = choose(proposer, space, {number: {} for number in range(224, 424)}, [])
    power = sum(own.params["scheduler"] == "power" for own in asked.values())
    assert power > 1.5 * len(asked) / len(space.schedulers)


def test_trials_of_another_space_are_passed_over() -> None:
    """Settings that another tool enqueued, or that have no settings yet, are no reason to fail."""
    definition = definition_of("tpe", 1, ["constant", "lambda"])
    space, proposer = Space.of(definition), samplers.build(definition)
    strange = [{"lr": 0.1, "scheduler": "unheard_of"}, {}, {"x": 3.0}, {"lr": 0.1, "scheduler": "lambda"}]
    told = [PastTrial(n, TrialState.COMPLETE, strange[n % 4], float(n)) for n in range(40)]
    proposer.learn(told)
    chosen = choose(proposer, space, {number: {} for number in range(40, 60)}, told[:3])
    assert {own.params["scheduler"] for own in chosen.values()} <= {"constant", "lambda"}
    assert all("decay" in own.params for own in chosen.values() if own.params["scheduler"] == "lambda")


def test_a_space_of_one_point_is_that_point() -> None:
    space = Space(0.1, ("constant",), {"constant": {}})
    proposer = registry.samplers.get("tpe").build(space, 0)
    proposer.learn([PastTrial(n, TrialState.COMPLETE, {"lr": 0.1, "scheduler": "constant"}, 1.0) for n in range(12)])
    assert choose(proposer, space, {12: {}}, [])[12].params == {"lr": 0.1, "scheduler": "constant"}
