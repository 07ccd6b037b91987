"""What the evidence of a confirmed study says, and that it follows from the numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.report import figures, gallery, markdown
from lrsearch.report.frames import read
from lrsearch.storage import attributes

Confirm = Callable[..., optuna.Study]
Finalist = tuple[dict[str, Any], str, Sequence[float | None]]
LAMBDA = {"lr": 0.02, "scheduler": "lambda", "decay": 0.9}
ONE_CYCLE = {"lr": 0.02, "scheduler": "one_cycle", "one_cycle.start": 0.1, "one_cycle.final": 0.1}
CONSTANT = {"lr": 0.01, "scheduler": "constant"}
FIVE = [8.0, 9.0, 10.0, 11.0, 12.0]
EQUAL = [8.3, 8.8, 10.1, 10.6, 12.25]


def text_of(mixed: optuna.Study, confirmation: optuna.Study) -> str:
    return markdown.text(read(mixed, confirmation))


def shifted(by: float, wobble: float = 0.1) -> list[float]:
    return [value + by + wobble * (-1) ** place for place, value in enumerate(FIVE)]


@pytest.mark.parametrize(
    ("finalists", "words"),
    [
        (
            [(LAMBDA, "search", FIVE), (CONSTANT, "constant", shifted(3))],
            [
                "Every other finalist is shown to be worse than the recommended one.",
                "The search had promised test MSE 7 for lambda, lr 0.02, decay 0.9, its best",
            ],
        ),
        (
            [(ONE_CYCLE, "search", FIVE), (LAMBDA, "search", EQUAL), (CONSTANT, "constant", shifted(9))],
            ["lambda, lr 0.02, decay 0.9 is the simplest of those whose mean is within 0.1 of the best mean, so it is"],
        ),
        (
            [(LAMBDA, "search", FIVE), (CONSTANT, "constant", shifted(1.0, 1.0))],
            ["These cannot be told apart from the recommended one, which has the best mean: constant, lr 0.01."],
        ),
        (
            [(LAMBDA, "search", FIVE), (ONE_CYCLE, "search", [12.0, 11.0, 10.0, 9.0, 8.5])],
            ["The mean of the recommended one is 10; having been picked for it flatters it by about 0.91, so 10.91"],
        ),
        (
            [(LAMBDA, "search", [8.0, None, 8.0]), (CONSTANT, "constant", [9.0, 9.5, 10.0])],
            [
                "Only one finalist was trained to the end on all of them.",
                "lambda, lr 0.02, decay 0.9 diverged on 1 of 3 seeds: do not use it.",
            ],
        ),
        (
            [(LAMBDA, "search", [None, None]), (CONSTANT, "constant", [None, 9.0])],
            ["None can be recommended: each finalist diverged or failed"],
        ),
        (
            [(LAMBDA, "search", FIVE), (CONSTANT, "constant", FIVE[:3])],
            ["The confirmation is not finished, 2 runs missing: `lrsearch study confirm small`"],
        ),
        (
            [(LAMBDA, "search", FIVE[:1]), (CONSTANT, "constant", [])],
            ["No finalist has been trained on every"],
        ),
    ],
    ids=["clear", "the simpler", "not shown", "picked", "one diverged", "all diverged", "unfinished", "just begun"],
)
def test_the_words_follow_from_the_numbers(
    finalists: list[Finalist], words: list[str], mixed: optuna.Study, confirmation: Confirm
) -> None:
    linked = confirmation(finalists)
    if finalists[1][2] == []:  # nobody has been trained on all of the seeds
        whole = confirmation([(LAMBDA, "search", FIVE)]).user_attrs
        linked.set_user_attr(attributes.DEFINITION, whole[attributes.DEFINITION])
    text = text_of(mixed, linked)
    below = text[text.index("## Evidence") :]
    missing = [word for word in words if word not in below]
    assert not missing, text[:2500]
    assert text_of(mixed, linked) == text, "the same frames give the same text"


def test_the_command_that_repeats_a_confirmation_is_there(mixed: optuna.Study, confirmation: Confirm) -> None:
    text = text_of(mixed, confirmation([(LAMBDA, "search", FIVE), (CONSTANT, "constant", shifted(3))]))
    assert "lrsearch study confirm --top 1 --seeds 5 small" in text


def test_without_holdout_rows_the_verdict_says_so(mixed: optuna.Study, confirmation: Confirm) -> None:
    text = text_of(
        mixed, confirmation([(LAMBDA, "search", FIVE), (CONSTANT, "try", shifted(3))], rows="test", reason="it rains")
    )
    assert "scored on the 300 test rows that the search was judged by, for it rains" in text
    assert "test MSE, mean" in text


def test_a_search_that_went_on_asks_to_be_confirmed_again(
    mixed: optuna.Study, confirmation: Confirm, trial: Callable[..., FrozenTrial]
) -> None:
    linked = confirmation([(LAMBDA, "search", FIVE), (CONSTANT, "constant", shifted(3))])
    assert "better settings since" not in text_of(mixed, linked)
    mixed.add_trial(trial(0.5, lr=0.0123))
    assert "The search has found better settings since" in text_of(mixed, linked)


def test_an_unconfirmed_study_says_how_to_confirm_it(mixed: optuna.Study) -> None:
    assert "lrsearch study confirm small" in markdown.text(read(mixed))


def test_settings_with_hostile_names_stay_text(mixed: optuna.Study, confirmation: Confirm, tmp_path: Path) -> None:
    hostile = {"lr": 0.01, "scheduler": "a|b<script>*x*"}
    linked = confirmation([(hostile, "search", FIVE), (CONSTANT, "constant", shifted(3))])
    text = markdown.write(read(mixed, linked), tmp_path).read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert "<script" not in prose
    assert "a\\|b&lt;script&gt;\\*x\\*" in prose


def test_the_figure_of_finalists_has_a_row_for_each(mixed: optuna.Study, confirmation: Confirm) -> None:
    frames = read(mixed, confirmation([(LAMBDA, "search", [8.0, None, 8.0]), (CONSTANT, "constant", [9.0, 9.5, 9.0])]))
    axes = figures.finalists(frames).axes[0]
    labels = [label.get_text().replace("\N{NO-BREAK SPACE}", " ") for label in axes.get_yticklabels()]
    assert labels == ["constant, lr 0.01", "lambda, lr 0.02, decay 0.9\n(1 of 3 seeds missing)"]
    assert "finalists.png" in [picture.file for picture in gallery.pictures(frames)]
