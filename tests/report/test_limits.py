"""Which part of an axis is shown."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lrsearch.report.limits import Span, span


def test_exploded_values_do_not_stretch_the_axis() -> None:
    values = [*np.linspace(7, 25, 100), 1e9, math.inf, math.nan]
    view = span(values)
    assert view.low == 7
    assert 25 <= view.high < 200


def test_an_outlier_is_shown_where_it_costs_little_room() -> None:
    assert span([*np.linspace(20, 22, 100), 60]).high < 60
    assert span([7, *np.linspace(20, 22, 100), 25]).high == 25
    assert span([0.2, *np.linspace(0.5, 0.6, 100), 1.0], maximise=True).low > 0.2


def test_a_share_is_taken_on_the_scale_of_the_whole() -> None:
    assert Span(1, 2, False).share_of(Span(0, 10, False)) == pytest.approx(0.1)
    assert Span(1, 10, True).share_of(Span(0.1, 1000, True)) == pytest.approx(0.25)


def test_good_values_are_never_cut_off() -> None:
    assert span([1e-6, *np.linspace(7, 25, 100)]).low == 1e-6
    assert span([0.99, *np.full(100, 0.1)], maximise=True).high == 0.99


def test_bad_values_are_low_where_larger_is_better() -> None:
    assert span([-1e9, *np.linspace(0.5, 0.9, 100)], maximise=True).low > -1e3


@pytest.mark.parametrize(
    ("values", "log"),
    [([1.0, 100.0], True), ([1.0, 1.5], False), ([0.0, 100.0], False), ([-1.0, 100.0], False)],
)
def test_a_wide_positive_span_is_logarithmic(values: list[float], log: bool) -> None:
    assert span(values, fence=False).log is log
    assert not span(values, fence=False, log=False).log
    assert not span(values, fence=False, maximise=True).log


@pytest.mark.parametrize("values", [[], [5.0], [0.0, 0.0], [math.nan], [1e300, 1e300]])
def test_a_span_is_never_empty(values: list[float]) -> None:
    view = span(values)
    assert view.low < view.high


def test_values_beyond_the_edges_lie_on_them() -> None:
    assert Span(1, 2, False).clip([0.0, 1.5, 3.0, math.inf, -math.inf, math.nan]).tolist() == [
        1,
        1.5,
        2,
        2,
        1,
        2,
    ]


def test_room_is_a_share_of_the_span_on_either_scale() -> None:
    assert Span(0, 10, False).widened(0.1, 0.2) == pytest.approx((-1, 12))
    assert Span(1, 100, True).widened(0.5, 0.5) == pytest.approx((0.1, 1000))
