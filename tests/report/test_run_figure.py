"""The figure of a single run, read from the figure itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lrsearch.report import figures

EPOCHS = {"lr": [0.1, 0.1, 0.01], "train": [9.0, 4.0, 2.0], "test": [10.0, 5.0, 3.0]}


def test_curves_above_and_rates_below_share_their_epochs() -> None:
    figure = figures.training_run(EPOCHS, "mse", "a title")
    above, below = figure.axes
    assert above.get_title(loc="left") == "a title"
    assert [axes.get_ylabel() for axes in figure.axes] == ["MSE (squared units of the target)", "learning rate"]
    assert below.get_xlabel() == "epoch"
    assert above.get_xlim() == below.get_xlim() == (0, 3)
    assert (above.get_yscale(), below.get_yscale()) == ("log", "log")
    train, test = above.lines
    assert (train.get_xydata()[:, 1].tolist(), test.get_xydata()[:, 1].tolist()) == (EPOCHS["train"], EPOCHS["test"])
    assert train.get_xydata()[:, 0].tolist() == [1, 2, 3]


def test_the_rate_of_an_epoch_stands_before_its_end() -> None:
    """What is drawn over (1, 2] led to the metric at 2."""
    line = figures.training_run(EPOCHS, "mse", "").axes[-1].lines[0]
    assert line.get_drawstyle() == "steps-pre"
    assert line.get_xydata().tolist() == [[0, 0.1], [1, 0.1], [2, 0.1], [3, 0.01]]


def test_a_constant_rate_is_named_itself() -> None:
    below = figures.training_run({**EPOCHS, "lr": [0.00463601] * 3}, "mse", "").axes[-1]
    assert [label.get_text() for label in below.get_yticklabels()] == ["0.004636"]


def test_further_metrics_have_panels_of_their_own() -> None:
    figure = figures.training_run(EPOCHS, "cross_entropy", "", extras={"accuracy": [0.1, 0.5, 0.9]})
    assert figure.axes[1].get_ylabel() == "test accuracy\n(share of rows)"
    assert figure.axes[1].lines[0].get_xydata()[:, 1].tolist() == [0.1, 0.5, 0.9]


def test_a_run_that_diverged_begins_before_training_and_ends_with_a_cross() -> None:
    exploded = {"lr": [0.1, 0.1], "train": [5.0, math.nan], "test": [6.0, 1e30]}
    above = figures.training_run(exploded, "mse", "", before=(8.0, 9.0)).axes[0]
    train, test, cross = above.lines
    assert np.array_equal(train.get_xydata(), [[0, 8], [1, 5]])
    assert test.get_xydata()[0].tolist() == [0, 9]
    assert (cross.get_marker(), cross.get_xydata()[0, 0]) == ("x", 2)
    assert above.get_ylim()[1] < 1e4


@pytest.mark.parametrize("suffix", list(figures.IMAGES))
def test_the_same_figure_is_the_same_file(suffix: str) -> None:
    one, two = (figures.image(figures.training_run(EPOCHS, "mse", "$x_1$"), suffix) for _ in range(2))
    assert one == two
