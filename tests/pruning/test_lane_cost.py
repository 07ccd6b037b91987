"""What lanes cost is a table that no clock has a say in, and whom it spares costs next to nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrsearch.pruning import lane_cost
from lrsearch.pruning.lane_cost import AUDITED, NEARLY, ONE_BY_ONE, SEAT_CLASSES, LaneCost, reckoned
from lrsearch.training import seats

costs = st.builds(LaneCost, st.sampled_from([1, 4, 32, 256]), st.floats(0, 40))


def test_a_block_is_what_the_engine_pads_to() -> None:
    assert reckoned(one_pass=True, device="cpu").block == seats.BLOCK
    assert reckoned(one_pass=False, device="cpu") == ONE_BY_ONE


def test_a_batch_costs_one_block_more_than_it_has() -> None:
    cost = reckoned(one_pass=True, device="cpu")
    assert [cost.seconds(lanes) for lanes in (0, 1, 32, 33, 64, 512)] == [0.0, 2.0, 2.0, 3.0, 3.0, 17.0]


@given(st.lists(st.integers(0, 127), max_size=64, unique=True))
def test_a_batch_is_as_long_as_the_engine_makes_it(places: list[int]) -> None:
    """Lanes that share a class sit far apart, whatever is free between them."""
    assert SEAT_CLASSES == seats.CLASSES
    cost = reckoned(one_pass=True, device="cpu")
    computed = seats.filled(max(seats.seats(places)) + 1) if places else 0
    assert cost.seconds(cost.lanes(places)) == cost.seconds(computed)


@given(costs, st.integers(1, 3), st.integers(0, 60), st.data())
def test_whom_it_spares_train_in_nearly_the_same_seconds(
    cost: LaneCost, seeds: int, ending: int, data: st.DataObject
) -> None:
    """With seats for the audit, and the best first."""
    kept = data.draw(st.lists(st.integers(0, 99), min_size=1, max_size=40, unique=True))
    ended = [number for number in range(100) if number not in kept][:ending]
    places = {number: range(number * seeds, (number + 1) * seeds) for number in range(100)}
    spared = cost.spared(kept, ended, places)
    assert spared == [number for number in ended if number in spared]
    audited = math.ceil(AUDITED * len(ended)) * seeds + SEAT_CLASSES
    least = cost.lanes(place for number in kept for place in places[number]) + audited
    most = cost.lanes(place for number in [*kept, *spared] for place in places[number])
    assert cost.seconds(most) <= NEARLY * cost.seconds(least) + 1e-9


def test_a_generation_of_64_keeps_a_block_and_seats_for_the_audit() -> None:
    """Or all, where the rule keeps more than a block: two thirds of a batch take as long as all of it."""
    cost, places = reckoned(one_pass=True, device="cpu"), {number: [number] for number in range(64)}
    assert len(cost.spared(range(20), range(20, 64), places)) == 28 - 20
    assert len(cost.spared(range(45), range(45, 64), places)) == 19
    full = list(range(0, 32, 4))  # one class has no seat left
    assert len(cost.spared(full, [number for number in range(64) if number not in full], places)) == 3 * 7
    crowded = [*range(0, 64, 4), 1]  # all but one in one class
    assert len(cost.spared(crowded, [number for number in range(64) if number not in crowded], places)) == 47


@given(costs, st.integers(1, 40), st.integers(0, 60), st.floats(0, 400))
def test_nobody_ends_where_a_new_recording_costs_more_than_it_saves(
    cost: LaneCost, keeping: int, ending: int, recording: float
) -> None:
    """Otherwise the same as where recordings cost nothing."""
    numbers = list(range(keeping + ending))
    kept, ended, places = numbers[:keeping], numbers[keeping:], {number: [number] for number in numbers}
    free, dear = cost.spared(kept, ended, places), replace(cost, recording=recording)
    needed, before = cost.blocks(cost.lanes(kept)), cost.blocks(cost.lanes(numbers))
    after = max(needed, int(NEARLY * (cost.fixed + needed) - cost.fixed))  # with the seats of the audit
    saves = cost.block > 1 and before > after and 10 * (before - after) <= recording
    assert dear.spared(kept, ended, places, 10) == (ended if saves else free)
    assert dear.spared(kept, ended, places) == free, "a batch without end"


def test_one_by_one_there_is_nothing_to_spare() -> None:
    assert ONE_BY_ONE.spared([1, 2], [3, 4], {number: [number] for number in range(5)}) == []
    assert ONE_BY_ONE.seated([1, 2], [3, 4], {number: [number] for number in range(5)}) == [1, 2]


@given(costs.filter(lambda cost: cost.block > 1), st.integers(1, 3), st.data())
def test_seats_that_are_left_cost_nothing(cost: LaneCost, seeds: int, data: st.DataObject) -> None:
    """Whoever does not find one would need a block more."""
    trained = data.draw(st.lists(st.integers(0, 99), max_size=40, unique=True))
    further = [number for number in data.draw(st.permutations(range(100))) if number not in trained][:20]
    places = {number: range(number * seeds, (number + 1) * seeds) for number in range(100)}

    def blocks(trials: list[int]) -> int:
        return cost.blocks(cost.lanes(place for number in trials for place in places[number]))

    found = cost.seated(further, trained, places)
    assert found == [number for number in further if number in found]
    assert blocks([*trained, *found]) == blocks(trained)
    for number in set(further) - set(found):
        assert blocks([*trained, *found, number]) > blocks(trained)


@pytest.mark.parametrize(
    "table",
    [None, [], "x", {}, {"block": 0, "fixed": 1.0}, {"block": True, "fixed": 1.0}, {"block": 32},
     {"block": 32, "fixed": 1.0, "recording": True}, {"block": 32, "recording": 1.0},
     {"block": 32, "fixed": -1.0}, {"block": 32, "fixed": "1"}, {"block": 32, "fixed": math.inf}],
)  # fmt: skip
def test_what_somebody_else_wrote_is_no_table(table: Any) -> None:
    assert lane_cost.stored(table) is None


@given(costs, st.floats(0, 400))
def test_what_is_stored_is_read_again(cost: LaneCost, recording: float) -> None:
    own = replace(cost, recording=recording)
    assert lane_cost.stored(own.table()) == own
    before = {"block": cost.block, "fixed": cost.fixed}
    assert lane_cost.stored(before) == cost, "studies of former versions have no recordings"
