"""Looks that readers can tell apart."""

from __future__ import annotations

from lrsearch.report.palette import style, styles


def test_fourteen_types_differ_in_marker_and_in_colour() -> None:
    looks = [style(index) for index in range(14)]
    assert len({look.marker for look in looks}) == 14
    assert len({look.colour for look in looks}) == 14


def test_a_look_depends_on_the_place_alone() -> None:
    assert styles(["a", "b", None]) == {"a": style(0), "b": style(1), None: style(2)}
