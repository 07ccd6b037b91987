"""In a batch a small audit takes seats that would be empty, and costs no block of lanes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import FrozenTrial, TrialState

from lrsearch import registry
from lrsearch.pruning.audit import Audit, is_chosen
from lrsearch.pruning.lane_cost import AUDITED, ONE_BY_ONE, LaneCost, reckoned
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.attributes import AUDIT_CURVE
from lrsearch.storage.rdb import open_storage
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Engine, SequentialEngine

SEED = 3


@pytest.fixture
def ended(define: Callable[..., Definition]) -> Callable[[Engine], list[FrozenTrial]]:
    """Forty trials, half of which end at a rung."""
    definition = define(
        study={"name": "audited", "trials": 40},
        training={"epochs": 8, "batch_size": 14},
        sampler={"name": "random", "seed": SEED},
        pruner={"name": "halving", "rungs": [0.5], "keep": 0.5, "audit": AUDITED},
    )

    def train(engine: Engine) -> list[FrozenTrial]:
        stored = studies.create(open_storage("sqlite://"), definition, "mse")
        task = registry.tasks.get(definition.task.name).build(definition.task.options)
        list(Runner(stored, task, engine, Interruption()).events())
        return stored.trials()

    return train


def audited(trials: list[FrozenTrial]) -> list[int]:
    return [trial.number for trial in trials if AUDIT_CURVE in trial.user_attrs]


def test_it_takes_no_block(ended: Callable[[Engine], list[FrozenTrial]]) -> None:
    """Those who go on fit into one block of two, and so do all who are trained."""
    cost, trials = reckoned(one_pass=True, device="cpu"), ended(BatchedEngine())
    kept = [trial.number for trial in trials if trial.state == TrialState.COMPLETE]
    watched = audited(trials)
    drawn = [number for number in range(40) if number not in kept and is_chosen(SEED, number, AUDITED)]
    assert watched == [number for number in drawn if number in watched] != []
    assert [cost.blocks(cost.lanes(own)) for own in (range(40), kept, [*kept, *watched])] == [2, 1, 1]
    assert all(cost.blocks(cost.lanes([*kept, *watched, other])) == 2 for other in set(drawn) - set(watched))


def test_alone_there_is_a_seat_for_everybody(ended: Callable[[Engine], list[FrozenTrial]]) -> None:
    trials = ended(SequentialEngine())
    pruned = [trial.number for trial in trials if trial.state == TrialState.PRUNED]
    assert audited(trials) == [number for number in pruned if is_chosen(SEED, number, AUDITED)] != []


@given(st.integers(0, 999), st.integers(0, 40), st.sampled_from([0.0, 0.05, AUDITED, 0.11, 0.5]))
def test_who_asks_for_much_gets_all_of_it(seed: int, kept: int, share: float) -> None:
    cost, ended = LaneCost(8, 1.0), {number: number for number in range(kept, 60)}
    places = {number: [number] for number in range(60)}
    drawn = [number for number in ended if is_chosen(seed, number, share)]
    assert Audit(seed, share, ONE_BY_ONE).chosen(ended, range(kept), places) == drawn
    expected = drawn if share > AUDITED else cost.seated(drawn, range(kept), places)
    assert Audit(seed, share, cost).chosen(ended, range(kept), places) == expected
