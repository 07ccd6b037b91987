"""What is drawn, read from the figures themselves; that they are pleasant is for eyes to judge."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import optuna
import pytest
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial
from PIL import Image, ImageChops, ImageStat

from lrsearch.report import figures, gallery
from lrsearch.report.figures.look import DOTS_PER_INCH, IMAGES, _our_settings
from lrsearch.report.figures.marks import UPWARDS
from lrsearch.report.frames import StudyFrames, read
from lrsearch.storage import attributes

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]
ALL = [figures.learning_curves, figures.lr_against_value, figures.best_schedules, figures.history]
FOURTEEN = [f"type_{place}" for place in range(14)]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for shown in figure.legends for text in shown.get_texts()]


def panel_boxes(figure: Figure) -> list[tuple[float, float]]:
    figures.png(figure)
    return [(axes.get_position().width, axes.get_position().height) for axes in figure.axes]


@pytest.fixture
def fourteen(trial: Make, study: MakeStudy) -> StudyFrames:
    trials = [
        trial(8.0 + place / 10, name, 10 ** (-3 + place / 7), **{"epochs": 3, "state": "pruned"} if late else {})
        for place, name in enumerate(FOURTEEN)
        for late in (False, True)
    ]
    return read(study([*trials, trial(scheduler=FOURTEEN[-1], diverged=True)]))


@pytest.fixture
def grid(trial: Make, study: MakeStudy) -> StudyFrames:
    """Four constant rates of a classification task."""
    rates = (0.03, 0.01, 0.005, 0.001)
    extra = {attributes.EXTRA_CURVES: {"accuracy": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}}
    return read(study([trial(5 + place, lr=lr, **extra) for place, lr in enumerate(rates)], metric="cross_entropy"))


def test_many_trials_get_a_panel_per_type_on_the_same_axes(mixed: optuna.Study) -> None:
    figure = figures.learning_curves(read(mixed))
    assert [axes.get_title().split(" ")[0] for axes in figure.axes] == [
        "constant", "lambda", "exponential", "one_cycle",
    ]  # fmt: skip
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert legend(figure) == ["best of the type", "other trials", "pruned", "diverged"]


def test_an_audit_goes_on_where_a_trial_was_pruned(trial: Make, study: MakeStudy, audit: Make) -> None:
    frames = read(
        study([trial(), trial(state="pruned", epochs=2), audit(9.0), audit(None, error="no luck", trained=0)])
    )
    figure = figures.learning_curves(frames)
    assert "pruned, trained on for the audit" in legend(figure)
    drawn = [line.tolist() for lines in figure.axes[0].collections for line in lines.get_segments()]  # type: ignore[attr-defined]
    assert [[3.0, 15.0], [4.0, 9.0], [5.0, 9.0], [6.0, 9.0]] in drawn
    assert len(drawn) == 5  # a curve of each trial, and the audit that trained
    left_out = read(study([trial(state="pruned", epochs=2), audit(9.0, **{attributes.EXCLUDED: "wrong"})], "left_out"))
    assert legend(figures.learning_curves(left_out)) == ["trials", "pruned"]


def test_few_trials_are_labelled_by_what_differs_best_first(grid: StudyFrames) -> None:
    figure = figures.learning_curves(grid)
    assert legend(figure) == [
        "lr 0.03: 5",
        "lr 0.01: 6",
        "lr 0.005: 7",
        "lr 0.001: 8",
        "test rows",
        "training rows",
    ]
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "cross-entropy (nats per row)",
        "test accuracy (share of rows)",
    ]


def test_a_pruned_trial_ends_the_labelling(trial: Make, study: MakeStudy) -> None:
    assert figures.few(read(study([trial()] * 8)))
    assert not figures.few(read(study([trial()] * 9)))
    assert not figures.few(read(study([trial(), trial(state="pruned")])))
    assert not figures.few(read(study([trial(state="waiting")])))


@pytest.mark.parametrize("draw", ALL)
def test_fourteen_types_are_all_named_and_no_panel_collapses(draw: figures.Draw, fourteen: StudyFrames) -> None:
    figure = draw(fourteen)
    named = " ".join([*legend(figure), *(axes.get_title() for axes in figure.axes)])
    assert all(name in named for name in FOURTEEN)
    assert min(min(box) for box in panel_boxes(figure)) > 0.08


@pytest.mark.parametrize("draw", [*ALL, figures.epochs_needed])
def test_a_phone_gets_panels_below_each_other(draw: figures.Draw, fourteen: StudyFrames) -> None:
    with figures.narrow():
        figure = draw(fourteen)
    figure.draw_without_rendering()
    named = [axes for axes in figure.axes if axes.get_xlabel()]
    assert all(any(text.get_text() for text in axes.get_xticklabels() if text.get_visible()) for axes in named)
    labels = [axes.yaxis.label.get_window_extent() for axes in figure.axes]
    assert all(label.y0 >= 0 and label.y1 <= figure.bbox.height for label in labels), "no label leaves the figure"
    assert figure.get_figwidth() < 6
    assert len({round(axes.get_subplotspec().colspan.start) for axes in figure.axes}) <= 2  # type: ignore[union-attr]
    assert min(width for width, _ in panel_boxes(figure)) > 0.3


@pytest.mark.parametrize("draw", ALL)
def test_panels_keep_their_size_where_trials_are_few(draw: figures.Draw, grid: StudyFrames) -> None:
    boxes = panel_boxes(draw(grid))
    assert min(width for width, _ in boxes) > 0.25
    assert min(height for _, height in boxes) > 0.5


def test_a_type_has_the_same_colour_in_every_figure(mixed: optuna.Study) -> None:
    frames = read(mixed)
    by_name = []
    for draw in (figures.lr_against_value, figures.history, figures.best_schedules):
        shown = draw(frames).legends[0]
        colours = zip(shown.get_texts(), shown.legend_handles, strict=True)
        by_name.append({text.get_text().split(":")[0]: line.get_color() for text, line in colours})  # type: ignore[union-attr]
    for name in ("constant", "lambda", "exponential", "one_cycle"):
        assert len({colours[name] for colours in by_name}) == 1


def test_pruned_trials_are_compared_where_all_still_trained(mixed: optuna.Study) -> None:
    """No value of a pruned trial stands where others have their final one."""
    frames = read(mixed)
    early, late = figures.lr_against_value(frames).axes
    marks = [line for line in early.lines if len(line.get_xdata())]
    hollow = [line for line in marks if line.get_markerfacecolor() == "none"]
    assert sorted(float(line.get_ydata()[0]) for line in hollow) == [15, 16, 17, 18]
    rung = int(frames.trials[frames.trials["state"] == "pruned"]["epochs"].min())
    stored = frames.curves[frames.curves["epoch"] == rung].set_index("number")["test_metric"]
    trials = frames.trials[~frames.trials["diverged"]].set_index("number")
    drawn = {(float(x), float(y)) for line in marks for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)}
    assert {(trials["lr"][number], value) for number, value in stored.items() if number in trials.index} <= drawn
    ends = [float(y) for line in late.lines if line.get_marker() not in ("x", "None") for y in line.get_ydata()]
    complete = trials[trials["state"] == "complete"]
    assert sorted(ends) == sorted(complete["value"])


def test_a_pruned_trial_is_never_more_prominent_than_one_that_ended(trial: Make, study: MakeStudy) -> None:
    ended = [trial(8 + n / 10, lr=0.01 + n / 1000) for n in range(100)]
    pruned = [trial(20.0, lr=0.001 * n, state="pruned", epochs=2) for n in range(1, 6)]
    figure = figures.lr_against_value(read(study([*ended, *pruned])))
    sizes = {line.get_markersize() for axes in figure.axes for line in axes.lines if line.get_marker() == "o"}
    assert len(sizes) == 1


def test_diverged_is_above_every_value(mixed: optuna.Study) -> None:
    axes = figures.lr_against_value(read(mixed)).axes[-1]
    crosses = [line for line in axes.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert sorted(round(float(line.get_xdata()[0]), 6) for line in crosses) == [0.5, 0.6, 0.7, 0.8]
    lowest = min(float(line.get_ydata()[0]) for line in crosses)
    highest = axes.transAxes.inverted().transform(axes.transData.transform((0.01, 18.0)))[1]
    assert lowest > highest


def test_marks_beyond_the_axis_are_counted_at_its_edge(trial: Make, study: MakeStudy) -> None:
    frames = read(study([trial(8 + n / 10, lr=0.01 + n / 1000) for n in range(30)] + [trial(2e4), trial(3e4)]))
    for draw in (figures.lr_against_value, figures.history):
        figure = draw(frames)
        assert "beyond the axis (2)" in legend(figure)
        (arrows,) = (line for line in figure.axes[0].lines if line.get_marker() == UPWARDS and len(line.get_xdata()))
        assert (arrows.get_ydata() < 100).all()


def test_trials_that_end_close_together_get_an_axis_of_their_own(trial: Make, study: MakeStudy) -> None:
    pruned = [trial(40.0 + 8 * n, lr=0.001 * (n + 1), state="pruned", epochs=2) for n in range(9)]
    far, near = (
        read(study([*[trial(8 + by * n, lr=0.01 + n / 100) for n in range(9)], *pruned], f"by {by}")) for by in (3, 0.1)
    )
    for frames, apart in ((far, False), (near, True)):
        early, end = figures.lr_against_value(frames).axes
        assert (early.get_ylim() != end.get_ylim()) == apart
        reading = next(own.reading for own in gallery.pictures(frames) if own.file == "lr_against_value.png")
        assert ("different axes" in reading) == apart
    low, high = end.get_ylim()
    assert 0.8 * (high - low) < 8.8 - 8


def test_one_exploded_value_does_not_squash_the_rest(trial: Make, study: MakeStudy) -> None:
    frames = read(study([trial(8 + place / 10) for place in range(30)] + [trial(2e4)]))
    assert figures.history(frames).axes[0].get_ylim()[1] < 100


def test_the_line_of_the_best_so_far_only_falls(mixed: optuna.Study) -> None:
    (axes,) = figures.history(read(mixed)).axes
    assert all(line.get_markerfacecolor() != "none" for line in axes.lines), "what was pruned has no final value"
    line = next(line for line in axes.lines if line.get_color() == "black" and line.get_linestyle() == "-")
    assert (np.diff(line.get_ydata()) <= 0).all()


def test_the_learning_rates_are_those_that_were_stored(trial: Make, study: MakeStudy) -> None:
    rates = [0.1, 0.08, 0.06, 0.04, 0.02, 0.0]
    frames = read(study([trial(lr=0.1, **{attributes.LR_CURVE: rates})]))
    (axes,) = figures.best_schedules(frames).axes
    assert axes.lines[0].get_ydata().tolist() == rates


def test_names_with_dollars_and_strange_letters_are_drawn_without_a_warning(trial: Make, study: MakeStudy) -> None:
    frames = read(study([trial(scheduler=name) for name in (r"$\frac", "学習率", "a\nb", "x" * 300)] * 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for draw in ALL:
            assert figures.png(draw(frames)).startswith(b"\x89PNG")


def test_a_matplotlibrc_changes_nothing(mixed: optuna.Study) -> None:
    frames = read(mixed)
    before = figures.png(figures.history(frames))
    with mpl.rc_context({"font.size": 20, "lines.linewidth": 9, "axes.facecolor": "red", "savefig.dpi": 30}):
        assert figures.png(figures.history(frames)) == before


def test_a_png_says_neither_when_nor_with_what_it_was_made(mixed: optuna.Study) -> None:
    png = figures.png(figures.history(read(mixed)))
    assert png.startswith(b"\x89PNG")
    assert b"tEXt" not in png
    assert b"tIME" not in png


def test_a_png_is_drawn_once_and_is_what_matplotlib_makes_of_the_figure_by_drawing_it_twice(
    mixed: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, drawn = figures.learning_curves(read(mixed)), 0
    draw = Figure.draw

    def counted(self: Figure, renderer: RendererBase) -> None:
        nonlocal drawn
        drawn += 1
        draw(self, renderer)

    monkeypatch.setattr(Figure, "draw", counted)
    once = figures.png(own)
    assert drawn == 1
    file = io.BytesIO()
    with _our_settings():
        figures.learning_curves(read(mixed)).savefig(file, format="png", dpi=DOTS_PER_INCH, metadata=IMAGES[".png"])
    assert drawn == 3
    assert once == file.getvalue()


def test_a_small_png_shows_the_same_in_less(mixed: optuna.Study) -> None:
    figure = figures.learning_curves(read(mixed))
    whole, small = (Image.open(io.BytesIO(file)) for file in (figures.png(figure), figures.small_png(figure)))
    assert (small.size, small.mode) == (whole.size, "P")
    assert len(figures.small_png(figure)) < len(figures.png(figure)) / 2
    apart = ImageChops.difference(whole.convert("RGB"), small.convert("RGB"))
    assert max(ImageStat.Stat(apart).mean) < 0.5, "of 255, over the whole picture"


def test_a_score_is_drawn_on_a_linear_axis() -> None:
    """A logarithm would squeeze the scores that matter, near 1, wherever one bad run is in view."""
    curves = {"lr": [0.1] * 3, "train": [0.1, 0.5, 0.99], "test": [0.01, 0.4, 0.95]}
    for maximise, scale in ((True, "linear"), (False, "log")):
        alone = figures.training_run(curves, "accuracy", "", maximise=maximise)
        beside = figures.compared_runs({"one": curves}, "accuracy", maximise=maximise)
        assert [figure.axes[0].get_yscale() for figure in (alone, beside)] == [scale] * 2
