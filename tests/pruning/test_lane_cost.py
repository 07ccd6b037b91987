"""What lanes cost is a table that no clock has a say in, and whom it spares costs next to nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrsearch.pruning import lane_cost
from lrsearch.pruning.lane_cost import AUDITED, NEARLY, ONE_BY_ONE, LaneCost, reckoned
from lrsearch.training.seats import BLOCK

costs = st.builds(LaneCost, st.integers(1, 64), st.floats(0, 40))


def test_a_block_is_what_the_engine_pads_to() -> None:
    assert reckoned(together=True, device="cpu").block == BLOCK
    assert reckoned(together=False, device="cpu") == ONE_BY_ONE


def test_a_batch_costs_one_block_more_than_it_has() -> None:
    cost = reckoned(together=True, device="cpu")
    assert [cost.seconds(lanes) for lanes in (0, 1, 32, 33, 64, 512)] == [0.0, 2.0, 2.0, 3.0, 3.0, 17.0]


@given(costs, st.integers(0, 200))
def test_as_many_as_cost_nearly_the_same(cost: LaneCost, lanes: int) -> None:
    """Against a walk from lane to lane."""
    most = lanes
    while lanes and cost.seconds(most + 1) <= max(NEARLY * cost.seconds(lanes), cost.seconds(lanes)):
        most += 1
        if cost.block == 1:
            most = lanes
            break
    assert cost.most(lanes) in (most, most // cost.block * cost.block)
    assert cost.most(lanes) >= lanes


@given(costs, st.integers(1, 80), st.integers(0, 80), st.integers(1, 4))
def test_nobody_is_ended_whom_the_rule_keeps_and_the_audit_has_seats(
    cost: LaneCost, kept: int, ending: int, seeds: int
) -> None:
    arrived = kept + ending
    room = cost.room(kept, arrived, seeds)
    assert kept <= room <= arrived
    if room > kept:
        least = (kept + math.ceil(AUDITED * ending)) * seeds
        most = (room + math.ceil(AUDITED * (arrived - room))) * seeds
        assert cost.seconds(most) <= max(NEARLY * cost.seconds(least), cost.seconds(least)) + 1e-9


def test_one_by_one_there_is_no_room() -> None:
    assert ONE_BY_ONE.room(3, 9, 2) == 3


@pytest.mark.parametrize(
    "table",
    [None, [], "x", {}, {"block": 0, "fixed": 1.0}, {"block": True, "fixed": 1.0}, {"block": 32},
     {"block": 32, "fixed": -1.0}, {"block": 32, "fixed": "1"}, {"block": 32, "fixed": math.inf}],
)  # fmt: skip
def test_what_somebody_else_wrote_is_no_table(table: Any) -> None:
    assert lane_cost.stored(table) is None


@given(costs)
def test_what_is_stored_is_read_again(cost: LaneCost) -> None:
    assert lane_cost.stored(cost.table()) == cost
