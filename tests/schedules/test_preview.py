"""What is drawn of a family."""

from __future__ import annotations

import pytest

from lrsearch.registry import schedules
from lrsearch.schedules.classical import Constant, Lambda
from lrsearch.schedules.plateau import Plateau
from lrsearch.schedules.preview import examples, rates, simulated_metric, stalls_at, watches


@pytest.mark.parametrize("name", list(schedules))
def test_every_family_has_examples_that_differ(name: str) -> None:
    shown = examples(schedules.get(name))
    curves = [tuple(rates(example.schedule, 0.1, 60, 14)[1]) for example in shown]
    assert 1 <= len(shown) <= 3
    assert len(set(curves)) == len(curves)
    assert all(example.value is None or example.schedule.values()[example.parameter or ""] == example.value
               for example in shown)  # fmt: skip


def test_examples_are_the_ends_of_the_search_range_and_the_default() -> None:
    assert [example.value for example in examples(Lambda)] == [0.8, 0.95, 0.999]
    assert [example.parameter for example in examples(Constant)] == [None]


def test_rates_stand_where_they_begin_to_hold() -> None:
    places, values = rates(Lambda(decay=0.5), 0.1, 3, 14)
    assert (places, values) == ([0, 1, 2], [0.1, 0.05, 0.025])
    places, values = rates(schedules.get("linear")(), 1.0, 2, 2)
    assert (places, values) == ([0, 0.5, 1, 1.5], [1.0, 0.75, 0.5, 0.25])


def test_plateau_drops_once_the_simulated_metric_stalls() -> None:
    _, values = rates(Plateau(patience=3), 1.0, 30, 14)
    assert stalls_at(30) == 10
    assert values[:14] == [1.0] * 14
    assert values[14:18] == pytest.approx([0.1] * 4)


def test_the_simulated_metric_falls_and_then_does_not() -> None:
    metric = [simulated_metric(epoch, 30) for epoch in range(1, 31)]
    assert metric[:10] == sorted(set(metric[:10]), reverse=True)
    assert set(metric[9:]) == {metric[9]}


def test_only_plateau_watches_the_metric() -> None:
    assert [name for name in schedules if watches(schedules.get(name))] == ["plateau"]
