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
_, CURVES, RATES, SCHEDULES, EXTRA, HISTORY = FILES
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
        ([{}], [CURVES, RATES, SCHEDULES, HISTORY]),
        ([{"end": 5.0}] * 9, [RATES, CURVES, SCHEDULES, HISTORY]),
        ([{"state": "pruned", "epochs": 2}] * 3, [RATES, CURVES, HISTORY]),
        ([{"diverged": True, "epochs": 1, "lr": 0.5}] * 3, [RATES, SCHEDULES]),
        ([{"diverged": True, "epochs": 2, "lr": 0.5}] * 9, [RATES, CURVES]),
        ([{"state": "running", "epochs": 2}], [CURVES, SCHEDULES]),
        ([{"state": "waiting", "epochs": 0}], []),
        ([{"state": "failed", "epochs": 0}], []),
        ([{attributes.EXCLUDED: "bad"}], []),
        ([ACCURACY] * 3, [CURVES, RATES, SCHEDULES, HISTORY]),
        ([ACCURACY] * 9, [RATES, CURVES, SCHEDULES, EXTRA, HISTORY]),
        ([{"end": 0.0}, {"end": -3.0}, {"end": 1e300}], [CURVES, RATES, SCHEDULES, HISTORY]),
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
