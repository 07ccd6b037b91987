"""Which figures a study has, and that each of them can be drawn."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.report import figures
from lrsearch.report.frames import read
from lrsearch.report.gallery import FILES, pictures
from lrsearch.storage import attributes

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]
_, CURVES, RATES, SCHEDULES, EXTRA, HISTORY, _, EPOCHS, *_ = FILES
FALLING = [0.1, 0.08, 0.06, 0.04, 0.02, 0.01]
ACCURACY = {attributes.EXTRA_CURVES: {"accuracy": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}}


def check_drawings(study: optuna.Study) -> list[str]:
    """Draw all figures, where a warning is an error (collapsed layouts, missing letters, empty axes).

    Returns:
        Their files.
    """
    frames = read(study)
    shown = pictures(frames)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for picture in shown:
            figure = picture.draw(frames)
            assert len(figures.png(figure)) > 5000
            assert min(axes.get_position().height for axes in figure.axes) > 0.2
    return [picture.file for picture in shown]


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        ([], []),
        ([{}], [CURVES]),
        ([{"end": 5.0}] * 9, [CURVES, EPOCHS]),
        ([{"end": 5.0 + n, "lr": 0.1 / (n + 1)} for n in range(9)], [RATES, CURVES, EPOCHS, HISTORY]),
        ([{"lr": 0.1 / (n + 1)} for n in range(4)], [RATES, CURVES]),
        ([{attributes.LR_CURVE: FALLING}] * 2, [CURVES, SCHEDULES]),
        ([{attributes.LR_CURVE: FALLING}], [CURVES]),
        ([{"state": "pruned", "epochs": 2, "lr": lr} for lr in (0.1, 0.2, 0.3)], [RATES, CURVES]),
        ([{"diverged": True, "epochs": 1, "lr": lr} for lr in (0.5, 0.6, 0.7)], [RATES]),
        ([{"diverged": True, "epochs": 2, "lr": 0.5}] * 9, [CURVES]),
        ([{"state": "running", "epochs": 2}], [CURVES]),
        ([{"state": "waiting", "epochs": 0}], []),
        ([{"state": "failed", "epochs": 0}], []),
        ([{attributes.EXCLUDED: "bad"}], []),
        ([ACCURACY] * 3, [CURVES]),
        ([ACCURACY] * 9, [CURVES, EXTRA, EPOCHS]),
        ([{"end": 0.0, "lr": 0.1}, {"end": -3.0, "lr": 0.2}, {"end": 1e300, "lr": 0.3}], [RATES, CURVES]),
    ],
)
def test_a_study_has_the_figures_that_its_data_allow(
    trials: list[dict[str, object]], expected: list[str], trial: Make, study: MakeStudy
) -> None:
    made = study([trial(**words) for words in trials])
    assert check_drawings(made) == expected


def test_many_extra_metrics_have_a_panel_each(trial: Make, study: MakeStudy) -> None:
    extra = {attributes.EXTRA_CURVES: {"accuracy": [0.5] * 6, "recall": [0.25] * 6}}
    frames = read(study([trial(scheduler=f"type_{place}", **extra) for place in range(14)]))
    assert [axes.get_ylabel() for axes in figures.extra_metrics(frames).axes] == [
        "test accuracy (share of rows)",
        "test recall",
    ]


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_figures_of_plain_optuna(direction: str) -> None:
    study = optuna.create_study(direction=direction)
    for place in range(12):
        asked = study.ask()
        asked.suggest_float("x", 0, 1)
        for step in range(3):
            asked.report(place / 12 + step / 10, step)
        study.tell(asked, place / 12)
    assert check_drawings(study) == [CURVES, HISTORY]


def test_what_is_seen_is_said_for_those_who_cannot_see_it(trial: Make, study: MakeStudy) -> None:
    trials = [trial(8.0 + n, lr=0.01 * (n + 1)) for n in range(9)]
    seen = {picture.file: picture.seen for picture in pictures(read(study(trials)))}
    assert seen == {
        RATES: "9 trials, best 8 with constant, lr 0.01",
        CURVES: "9 curves, best 8 with constant, lr 0.01",
        EPOCHS: "Half the epochs cost you 21 % (9.67 after 3 epochs, 8 after 6).",
        HISTORY: "the best goes from 8 to 8",
    }
