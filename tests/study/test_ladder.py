"""The ladder of constant rates: where it begins, and how far it goes."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrsearch.study import ladder

RATES = st.floats(1e-6, 1e3)


def test_it_stands_around_the_best_rate_and_around_those_of_the_schedule() -> None:
    assert ladder.rates(0.01, []) == [0.0025, 0.005, 0.01, 0.02, 0.04]
    assert ladder.rates(0.01, [0.16]) == [0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32]
    assert ladder.rates(None, [0.1]) == [0.025, 0.05, 0.1, 0.2, 0.4]
    assert ladder.rates(None, []) == []


@given(RATES, st.lists(RATES, max_size=2))
def test_every_rate_that_it_stands_around_has_neighbours(best: float, of_schedule: list[float]) -> None:
    found = ladder.rates(best, of_schedule)
    assert found == sorted(found)
    assert all(high / low == pytest.approx(2 ** round(math.log2(high / low)), rel=1e-4)
               for low, high in pairwise(found))  # fmt: skip
    for rate in (best, *of_schedule):
        assert found[0] < rate < found[-1]


def test_it_is_extended_while_its_last_rate_is_the_best_and_four_times_at_most() -> None:
    tried, first = ladder.rates(0.01, []), (0.0025, 0.04)
    added = []
    while more := ladder.extension(tried, [1 / rate for rate in tried], first):
        added.append(more)
        tried = [*tried, *more]
    assert added == [[0.08, 0.16], [0.32, 0.64]]
    assert ladder.extension(ladder.rates(0.01, []), tried[:5], first) == [
        0.00125, 0.000625
    ]  # fmt: skip


def test_a_rate_that_diverged_ends_it() -> None:
    assert ladder.extension([0.1, 0.2, 0.4], [3.0, 2.0, math.inf], (0.1, 0.4)) == []
    assert ladder.extension([0.1, 0.2], [math.inf, math.inf], (0.1, 0.2)) == []
