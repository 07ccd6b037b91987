"""How a confirmation goes on: budget, seeds, and who stays in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrsearch.study import rounds


def test_the_budget_is_what_the_search_has_cost_and_five_seeds_for_everybody_at_least() -> None:
    assert rounds.budget(0.0, 6) == 5 * (6 + 3)
    assert rounds.budget(100.2, 6) == 101


@given(st.integers(1, 30), st.integers(0, 300))
def test_rounds_spend_the_budget_and_no_more(staying: int, left: int) -> None:
    seeds, done, spent = rounds.SCREENING, 0, 0
    while (further := rounds.next_seeds(seeds, staying, left - spent, done)) > seeds:
        spent += (further - seeds) * staying
        seeds, done = further, done + 1
    assert spent <= left
    assert done <= rounds.ROUNDS
    assert left - spent < staying or done == rounds.ROUNDS


def test_all_looks_together_are_wrong_in_five_of_a_hundred_cases() -> None:
    assert sum(1 - rounds.confidence(look) for look in (2, 3)) == pytest.approx(0.05)
    assert rounds.confidence(0) == pytest.approx(0.95)


def test_the_worse_half_leaves_and_who_is_asked_about_stays() -> None:
    values = [10.0, 10.1, 10.2, 20.0, 30.0, 10.3, 40.0, float("inf")]
    assert rounds.survivors(values, keep=[]) == {0, 1, 2, 5}
    assert rounds.survivors(values, keep=[6]) == {0, 1, 2, 5, 6}
    assert rounds.survivors(values[:4], keep=[]) == {0, 1}, "two stay at least"
    assert rounds.survivors(values[:1], keep=[]) == {0}


def test_the_best_are_the_lowest_and_never_those_that_diverged() -> None:
    assert rounds.best([3.0, 1.0, float("inf"), 2.0, 5.0]) == [1, 3, 0]
    assert rounds.best([float("inf")]) == []
