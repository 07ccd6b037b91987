"""The small curve of the interactive mode."""

from __future__ import annotations

import math

import pytest

from lrsearch.cli.terminal_curve import curve


def test_higher_values_are_higher_columns_and_both_ends_are_named() -> None:
    lines = curve([8.0, 4.0, 6.0], height=2)
    top, bottom = (line.split("┤")[1].ljust(12) for line in lines[:2])
    assert top[0] == "█"
    assert top[4] == " "
    assert (bottom[0], bottom[4]) == ("█", "▁")
    assert lines[0].startswith("          8")
    assert lines[1].startswith("          4")


@pytest.mark.parametrize("count", [1, 2, 17, 68, 69, 1000, 100_000])
def test_it_fits_into_80_columns(count: int) -> None:
    marks = [(place * count // 10, f"lr {place / 1e7}") for place in range(10)]
    lines = curve([-1e-300 * place for place in range(count)], marks)
    assert max(map(len, lines)) <= 79
    assert len(lines) == 9


def test_much_that_is_spanned_is_drawn_on_a_log_scale() -> None:
    """On a linear one the last two would be the same."""
    lines = curve([10_000.0, 100.0, 1.0], height=8)
    heights = [sum(line[13:][4 * place : 4 * place + 1] not in ("", " ") for line in lines[:8]) for place in range(3)]
    assert heights == [8, 5, 1]
    assert any("log" in line for line in lines)
    assert not any("log" in line for line in curve([3.0, 2.0]))


def test_what_is_not_finite_is_a_cross() -> None:
    lines = curve([2.0, math.nan, 1.0, math.inf])
    assert lines[6][13:] == "████××××▁▁▁▁××××"
    assert curve([math.nan])[6][13:] == "××××"


def test_a_level_curve_is_in_the_middle() -> None:
    drawn = curve([5.0, 5.0], height=4)
    assert [line[13:] for line in drawn[:4]] == ["", "", "████████", "████████"]


def test_changes_of_rate_are_marked_where_they_happened() -> None:
    *_, axis, below = curve([3.0, 2.0, 1.0, 1.0], [(0, "lr 0.1"), (3, "0.01")])
    assert axis.strip() == "└┬───────────┬───"
    assert below == " " * 13 + "lr 0.1      0.01"


def test_marks_that_do_not_fit_keep_their_tick() -> None:
    *_, axis, below = curve([1.0] * 4, [(0, "lr 0.123456"), (1, "0.01"), (3, "0.0000001")])
    assert axis.count("┬") == 3
    assert below.split() == ["lr", "0.123456"]
