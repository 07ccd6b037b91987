"""The figures that need no study: scheduler types, and the range test."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from lrsearch.registry import schedules
from lrsearch.report.figures import png
from lrsearch.report.figures.families import families
from lrsearch.report.figures.lr_range import Look, lr_range
from lrsearch.training.range_test import RangeTest, SeedLosses, analyse, grid
from lrsearch.training.second_look import tried
from lrsearch.training.weighing import Brief


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for shown in figure.legends for text in shown.get_texts()]


def test_there_is_a_panel_per_family_with_its_values_named() -> None:
    figure = families([schedules.get(name) for name in schedules], 0.1, 60, 14)
    assert [axes.get_title() for axes in figure.axes] == list(schedules)
    shown = dict(zip(schedules, figure.axes, strict=True))
    assert [text.get_text() for text in shown["lambda"].get_legend().get_texts()] == ["decay 0.8", "0.95", "0.999"]
    assert shown["constant"].get_legend() is None
    assert "simulated" in shown["plateau"].texts[0].get_text()
    assert {axes.get_xlim() for axes in figure.axes} == {(0.0, 60.0)}
    assert (figure.get_supxlabel(), figure.get_supylabel()) == ("epoch", "learning rate")
    png(figure)
    assert min(axes.get_position().width * figure.get_figwidth() for axes in figure.axes) > 1.8  # inches


def test_one_family_has_its_axes_named() -> None:
    figure = families([schedules.get("wsd")], 0.02, 5, 3)
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes] == [("epoch", "learning rate")]
    assert png(figure).startswith(b"\x89PNG")


def valley(seeds: int, *, diverge: bool) -> RangeTest:
    rates = grid(1e-6, 10.0, 400)
    falling = 10 - 8 * np.clip((np.log10(rates) + 3) / 2, 0, 1) + 20 * np.clip(np.log10(rates), 0, None)
    losses = (10.0, *map(float, falling))
    made = [SeedLosses(n, losses[:380] if diverge else losses, 4.0 if diverge else None) for n in range(seeds)]
    return analyse(made, 1e-6, 10.0, 400)


def test_the_range_test_shows_seeds_median_range_and_rate() -> None:
    test = valley(3, diverge=True)
    figure = lr_range(test, "mine, sgd", "mse")
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_xlim() == pytest.approx((1e-6, 10.0))
    assert (axes.get_xlabel(), axes.get_title()) == ("learning rate", "mine, sgd")
    assert axes.get_ylabel() == "training MSE (squared units of the target), smoothed"
    thin, thick = axes.lines[:3], axes.lines[3]
    assert {line.get_linewidth() for line in thin} == {0.8}
    assert thick.get_linewidth() > 2
    found = test.finding
    assert found.range is not None
    assert legend(figure) == [
        "median of 3 seeds", "a seed", f"suggested range {found.range[0]:g} to {found.range[1]:g}",
        f"suggested rate {found.lr:g}", "a seed diverged",
    ]  # fmt: skip
    png(figure)


def test_short_runs_have_a_panel_of_their_own_below_the_ramp() -> None:
    """The chosen rate and the range go through both; runs that diverged are crosses on the upper edge."""
    test = valley(3, diverge=False)
    low, high = test.finding.range or (0.0, 0.0)
    rates = tried(low, high)
    chosen = replace(test, finding=replace(test.finding, lr=rates[2]))
    runs = [Brief(lr, seed, 1.0 + abs(place - 2) + seed if place < 4 else None, 9.0)
            for place, lr in enumerate(rates) for seed in (0, 1)]  # fmt: skip
    figure = lr_range(chosen, "mine, sgd", "mse", Look(runs, "mse", 200))
    above, below = figure.axes
    assert below.get_xscale() == "log"
    assert below.get_xlim() == above.get_xlim() == pytest.approx((1e-6, 10.0))
    assert above.get_ylabel() == "training MSE, smoothed\n(squared units of the target)"
    assert (below.get_xlabel(), below.get_ylabel(), above.get_xlabel()) == ("learning rate", "test MSE", "")
    means = next(line for line in below.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 4)
    assert list(means.get_ydata()) == [3.5, 2.5, 1.5, 2.5]
    assert [list(line.get_xdata()) for line in below.lines if line.get_markersize() == 8] == [[rates[2]]]
    assert [list(line.get_xdata()) for line in below.lines if line.get_marker() == "x"] == [[rates[4]] * 2]
    assert "200 updates at one rate" in legend(figure)
    figure.draw_without_rendering()
    labels = [axes.yaxis.label.get_window_extent() for axes in figure.axes]
    assert labels[1].y1 < labels[0].y0
    assert labels[0].y1 < figure.bbox.y1
    scores = [replace(run, value=0.02 + 0.2 * place) for place, run in enumerate(runs[:4])]
    scored = lr_range(chosen, "mine, sgd", "mse", Look(scores, "accuracy", 200, maximise=True))
    assert scored.axes[1].get_yscale() == "linear"
    whole = lr_range(chosen, "mine, sgd", "mse", Look(runs[:-2], "mse", 200))
    whole.draw_without_rendering()
    assert whole.axes[1].get_position().y0 < 0.2  # no room is kept for crosses that are not there


@pytest.mark.parametrize("losses", [(), (5.0,) * 401, (-2.0,) * 401])
def test_a_range_test_without_outcome_is_drawn_all_the_same(losses: tuple[float, ...]) -> None:
    seeds = [SeedLosses(n, losses, None if losses else 1e-6) for n in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = lr_range(analyse(seeds, 1e-6, 10.0, 400), "mine", "my_loss")
        png(figure)
    assert "nothing to suggest" in legend(figure)


def test_exploded_losses_do_not_squash_the_rest() -> None:
    rates = grid(1e-6, 10.0, 400)
    losses = (10.0, *(10.0 if rate < 1 else 1e30 for rate in rates))
    figure = lr_range(analyse([SeedLosses(0, losses, None)], 1e-6, 10.0, 400), "mine", "mse")
    assert figure.axes[0].get_ylim()[1] < 20
