"""Numbers of logarithmic axes never touch each other, on a wide page and on a narrow one, whatever the axis shows."""

from __future__ import annotations

from itertools import pairwise

import pytest
from matplotlib.figure import Figure

from lrsearch.report.figures.layout import log_axis
from lrsearch.report.limits import Span

ENDS = [(1e-4, 0.05), (1e-5, 1e-3), (0.004, 0.006), (0.02, 0.9), (1e-12, 1e6), (1.0, 480.0), (2e-5, 9e-5)]


@pytest.mark.parametrize("ends", ENDS, ids=str)
@pytest.mark.parametrize("inches", [1.2, 2.0, 3.5, 7.0])
@pytest.mark.parametrize("name", ["x", "y"])
def test_numbers_stand_apart_and_there_are_some(ends: tuple[float, float], inches: float, name: str) -> None:
    figure = Figure(figsize=(inches, inches), layout="constrained")
    axes = figure.subplots()
    axis = {"x": axes.xaxis, "y": axes.yaxis}[name]
    log_axis(axis, Span(*ends, True))
    axes.set(**{f"{name}lim": ends})
    figure.draw_without_rendering()
    low, high = ends
    shown = [tick.label1 for tick in axis.get_major_ticks() if low * 0.999 <= tick.get_loc() <= high * 1.001]
    boxes = sorted((label.get_window_extent() for label in shown), key=lambda box: box.x0 if name == "x" else box.y0)
    for one, other in pairwise(boxes):
        assert one.x1 < other.x0 or one.y1 < other.y0, [label.get_text() for label in shown]
    assert len(shown) >= (2 if inches > 2 else 1)
    assert len({label.get_text() for label in shown}) == len(shown)
