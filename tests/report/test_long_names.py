"""With the longest names and settings, on a wide page and on a narrow one, no text of any figure leaves it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import optuna
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from optuna.trial import FrozenTrial

from lrsearch.report import figures, gallery, side_by_side
from lrsearch.report.frames import StudyFrames, read

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]
NAME = "a-study-with-the-longest-name-that-anybody-has-thought-of"
SCHEDULER = "a_scheduler_type_whose_name_says_everything_about_it"
MANY = {"lr": 0.0361498, "scheduler": SCHEDULER, "warmup_fraction": 0.24154, "start": 0.047986, "final": 0.00569791}
SEEDS = [9.0, 10.0, 9.5, 11.0, 10.5]
SLACK = 2.0
"""Pixels by which the box of a text may be larger than its letters."""


def outside(figure: Figure) -> list[str]:
    """The texts that are cut at an edge of the figure."""
    figure.draw_without_rendering()
    edge = figure.bbox
    ticks = [tick for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)
             for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
             if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())]  # fmt: skip
    unseen = [text for tick in ticks for text in (tick.label1, tick.label2)]  # matplotlib keeps them, beyond the axis
    return [
        text.get_text()
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_visible() and text.get_text() and text not in unseen
        for box in [text.get_window_extent()]
        if box.x0 < -SLACK or box.y0 < -SLACK or box.x1 > edge.width + SLACK or box.y1 > edge.height + SLACK
    ]


@pytest.fixture
def single(trial: Make, study: MakeStudy) -> StudyFrames:
    return read(study([trial(params=MANY)], NAME))


@pytest.fixture
def few(trial: Make, study: MakeStudy) -> StudyFrames:
    return read(study([trial(8.0 + place, params={**MANY, "lr": lr}) for place, lr in enumerate((0.01, 0.1))], NAME))


@pytest.fixture
def confirmed(trial: Make, study: MakeStudy, confirmation: Callable[..., optuna.Study]) -> StudyFrames:
    """Several types, pruned trials, and a confirmation."""
    types = (SCHEDULER, "constant", "one_cycle")
    trials = [
        trial(8.0 + place, types[place % 3], params={**MANY, "scheduler": types[place % 3], "lr": 0.01 * (place + 1)})
        for place in range(9)
    ]
    pruned = [trial(20.0, name, state="pruned", epochs=2) for name in types]
    finalists = [(MANY, "search", SEEDS), ({**MANY, "scheduler": "constant"}, "search", [*SEEDS])]
    return read(study([*trials, *pruned], NAME), confirmation(finalists))


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize("which", ["single", "few", "confirmed"])
def test_no_text_of_a_report_is_cut(which: str, narrow: bool, request: pytest.FixtureRequest) -> None:
    frames: StudyFrames = request.getfixturevalue(which)
    drawn = [(picture.file, partial(picture.draw, frames)) for picture in gallery.pictures(frames)]
    if which == "confirmed":
        assert len(drawn) >= 5
        drawn.append((side_by_side.PICTURE, partial(figures.two_studies, frames, frames)))
    for file, draw in drawn:
        if narrow:
            with figures.narrow():
                figure = draw()
        else:
            figure = draw()
        assert outside(figure) == [], file
