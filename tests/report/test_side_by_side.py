"""Two studies in one report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.errors import InputError
from lrsearch.report import figures, side_by_side
from lrsearch.report.document import Form
from lrsearch.report.frames import StudyFrames, read

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]
LAMBDA = {"lr": 0.02, "scheduler": "lambda", "decay": 0.9}
CONSTANT = {"lr": 0.01, "scheduler": "constant"}
FIVE = [8.0, 9.0, 10.0, 11.0, 12.0]


@pytest.fixture
def pair(mixed: optuna.Study, trial: Make, study: MakeStudy) -> tuple[optuna.Study, optuna.Study]:
    return mixed, study(
        [trial(7.0 + n, "lambda") for n in range(3)], "a|b<script>", training={"epochs": 6, "seeds": [5]}
    )


def test_unconfirmed_studies_are_told_how_to_get_evidence(pair: tuple[optuna.Study, optuna.Study]) -> None:
    text = side_by_side.text(*(read(study) for study in pair))
    assert "compare luck with luck" in text
    assert "`lrsearch study confirm small`" in text
    assert "| training.seeds | \\[24\\]" in text
    assert "<script" not in text.replace("`lrsearch study confirm 'a|b<script>'`", "")
    assert "small: best test MSE" in text


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        ([3.0, 3.1, 2.9, 3.0, 3.1], "have a holdout MSE lower by 3.02"),
        ([0.1, -0.1, 0.2, -0.1, 0.1], "the two cannot be told apart."),
    ],
)
def test_recommended_settings_are_compared_seed_by_seed(
    shift: list[float],
    words: str,
    pair: tuple[optuna.Study, optuna.Study],
    confirmation: Callable[..., optuna.Study],
    tmp_path: Path,
) -> None:
    worse = [value + by for value, by in zip(FIVE, shift, strict=True)]
    first = read(pair[0], confirmation([(LAMBDA, "search", [*FIVE, 9.0])]))
    second = read(pair[1], confirmation([(CONSTANT, "search", worse)]))
    text = side_by_side.text(first, second)
    assert "On 5 common fresh seeds the recommended settings of small, **lambda, lr 0.02, decay 0.9**" in text
    assert words in text
    file = side_by_side.write(first, second, tmp_path)
    assert file.read_text(encoding="utf-8") == text
    assert (tmp_path / "figures" / "two_studies.png").is_file()
    assert side_by_side.write(first, second, tmp_path, Form.HTML).name == "report.html"


def test_the_whole_way_of_both_searches_is_shown(trial: Make, study: MakeStudy) -> None:
    """Most trials of a search lie at the best value, so that the way to it would count as outliers."""
    late = [trial(value) for value in (20.0, 19.0, *[7.2] * 60, 7.1)]
    both = [read(study(late, name)) for name in ("one", "other")]
    figure = figures.two_studies(*both)
    low, high = figure.axes[0].get_ylim()
    assert low < 7.1
    assert high > 20.0
    words = side_by_side.text(*both)
    assert "![Best test MSE so far, among the trials that went on to the end: one best 7.1 of 63 trials, other" in words
    assert "on fresh seeds with the 95 %" not in words


def test_studies_of_different_tasks_are_refused(pair: tuple[optuna.Study, optuna.Study], study: MakeStudy) -> None:
    other = read(study([], "other", task={"name": "polynomial", "degree": 3}, metric="mae"))
    with pytest.raises(InputError, match="are not of the same task") as caught:
        side_by_side.check_comparable(read(pair[0]), other)
    assert [fault.key for fault in caught.value.faults] == ["task.degree", "metric"]
    with pytest.raises(InputError, match="was not created by lrsearch"):
        side_by_side.check_comparable(read(pair[0]), read(optuna.create_study(study_name="plain")))


def test_studies_without_trials_compare_as_such(study: MakeStudy) -> None:
    frames: list[StudyFrames] = [read(study([], name)) for name in ("one", "other")]
    assert "Neither study has a trial." in side_by_side.text(frames[0], frames[1])
