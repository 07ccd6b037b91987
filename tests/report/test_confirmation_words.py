"""What the report of a confirmed study says, and that it follows from the numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest
from lrsearch.report.evidence import gather
from optuna.trial import FrozenTrial

from lrsearch.report import figures, gallery, markdown
from lrsearch.report.frames import read
from lrsearch.report.verdict import plain
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
                "Take **lambda, lr 0.02, decay 0.9**. On 5 fresh seeds it is better than every other finalist.",
                "A schedule helps here: **lambda, lr 0.02, decay 0.9** is better than the best constant rate, lr 0.01",
                "Expect holdout MSE 10 when you train again: the mean on 300 holdout rows",
                "single seeds gave 8 to 12",
                "The search had promised test MSE 7 for **lambda, lr 0.02, decay 0.9**, its best",
            ],
        ),
        (
            [(ONE_CYCLE, "search", FIVE), (LAMBDA, "search", EQUAL), (CONSTANT, "constant", shifted(9))],
            ["cannot be told apart on 5 fresh seeds", "Take **lambda, lr 0.02, decay 0.9**, the simpler."],
        ),
        (
            [(LAMBDA, "search", FIVE), (CONSTANT, "constant", shifted(1.0, 1.0))],
            [
                "although these cannot be told apart from it: **constant, lr 0.01**",
                "No schedule is shown to beat",
            ],
        ),
        (
            [(LAMBDA, "search", FIVE), (ONE_CYCLE, "search", [12.0, 11.0, 10.0, 9.0, 8.5])],
            [
                "Expect holdout MSE 10.54 when you train again (95 % interval",
                "On 300 holdout rows, which no step of the search saw, its mean is 10 (single seeds gave 8 to 12)",
                "having been picked for that flatters it by about 0.54.",
            ],
        ),
        (
            [(CONSTANT, "search", FIVE), (LAMBDA, "search", shifted(1))],
            ["Take **constant, lr 0.01**", "No schedule beats a constant rate here."],
        ),
        (
            [(LAMBDA, "search", [8.0, None, 8.0]), (CONSTANT, "constant", [9.0, 9.5, 10.0])],
            [
                "Take **constant, lr 0.01**, the only finalist that was trained to the end on all 3 fresh seeds.",
                "**lambda, lr 0.02, decay 0.9** diverged on 1 of 3 seeds: do not take it.",
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
        ([(LAMBDA, "search", FIVE[:1]), (CONSTANT, "constant", [])], ["No finalist"]),
    ],
    ids=[
        "clear",
        "the simpler",
        "not shown",
        "picked",
        "constant",
        "one diverged",
        "all diverged",
        "unfinished",
        "just begun",
    ],
)
def test_the_verdict_follows_from_the_numbers(
    finalists: list[Finalist], words: list[str], mixed: optuna.Study, confirmation: Confirm
) -> None:
    linked = confirmation(finalists)
    if finalists[1][2] == []:  # nobody has been trained on all of the seeds
        whole = confirmation([(LAMBDA, "search", FIVE)]).user_attrs
        linked.set_user_attr(attributes.DEFINITION, whole[attributes.DEFINITION])
    text = text_of(mixed, linked)
    missing = [word for word in words if word not in text]
    assert not missing, text[:1500]
    assert text_of(mixed, linked) == text, "the same frames give the same text"


def test_the_first_screen_is_verdict_finalists_and_their_code(mixed: optuna.Study, confirmation: Confirm) -> None:
    text = text_of(mixed, confirmation([(LAMBDA, "search", FIVE), (CONSTANT, "constant", shifted(3))]))
    assert text.index("Take **lambda") < text.index("figures/finalists.png") < text.index("## Code to paste")
    code = text[text.index("## Code to paste") : text.index("## Evidence")]
    assert "LambdaLR" in code
    assert "lr=0.02" in code
    assert "lrsearch study confirm --top 1 --seeds 5 small" in text


def test_without_holdout_rows_the_verdict_says_so(mixed: optuna.Study, confirmation: Confirm) -> None:
    text = text_of(
        mixed, confirmation([(LAMBDA, "search", FIVE), (CONSTANT, "try", shifted(3))], rows="test", reason="it rains")
    )
    assert "on the test rows that the search was judged by, for it rains" in text
    assert "Expect test MSE 10" in text


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


def test_a_terminal_gets_the_same_words_without_markup(mixed: optuna.Study, confirmation: Confirm) -> None:
    frames = read(mixed, confirmation([(LAMBDA, "search", FIVE), (CONSTANT, "constant", shifted(3))]))
    evidence = gather(frames)
    assert evidence is not None
    words = " ".join(plain(frames, evidence))
    assert "Take lambda, lr 0.02, decay 0.9." in words
    assert "*" not in words


def test_the_figure_of_finalists_has_a_row_for_each(mixed: optuna.Study, confirmation: Confirm) -> None:
    frames = read(mixed, confirmation([(LAMBDA, "search", [8.0, None, 8.0]), (CONSTANT, "constant", [9.0, 9.5, 9.0])]))
    axes = figures.finalists(frames).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["constant, lr 0.01", "lambda, lr 0.02, decay 0.9\n(1 of 3 seeds missing)"]
    assert gallery.pictures(frames)[0].file == "finalists.png"
