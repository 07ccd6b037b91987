"""The answer in plain words, for every kind of outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optuna
import pytest

from lrsearch.report import markdown, wording
from lrsearch.report.frames import read
from lrsearch.report.headline import Answer
from lrsearch.report.verdict import answer
from lrsearch.report.wording import brief

Confirm = Callable[..., optuna.Study]
Finalist = tuple[dict[str, Any], str, Sequence[float | None]]
LAMBDA = {"lr": 0.02, "scheduler": "lambda", "decay": 0.9}
COSINE = {"lr": 0.175031, "scheduler": "cosine", "cosine.final": 0.1}
CONSTANT = {"lr": 0.01, "scheduler": "constant"}
FIVE = [8.0, 9.0, 10.0, 11.0, 12.0]


def shifted(by: float, wobble: float = 0.1) -> list[float]:
    return [value + by + wobble * (-1) ** place for place, value in enumerate(FIVE)]


@pytest.fixture
def told(mixed: optuna.Study, confirmation: Confirm) -> Callable[[list[Finalist]], Answer]:
    return lambda finalists: answer(read(mixed, confirmation(finalists)))


@pytest.mark.parametrize(
    ("finalists", "sentence"),
    [
        (
            [(COSINE, "search", FIVE), (CONSTANT, "constant", shifted(3))],
            "Use cosine decay from 0.175031: about 23 % lower error than the best constant rate.",
        ),
        (
            [(LAMBDA, "search", FIVE), (CONSTANT, "constant", shifted(1.0, 1.0))],
            "Use a rate of 0.02, times 0.9 every epoch: about 11 % lower error than the best constant rate, but "
            "that is not certain.",
        ),
        (
            [(CONSTANT, "search", FIVE), (LAMBDA, "search", shifted(1))],
            "Use a constant rate of 0.01. A schedule gains nothing here.",
        ),
        (
            [(CONSTANT, "search", [8.3, 8.8, 10.1, 10.6, 12.25]), (LAMBDA, "search", FIVE)],
            "Use a constant rate of 0.01. Whether a schedule gains anything is not decided.",
        ),
        (
            [(LAMBDA, "search", FIVE), (CONSTANT, "constant", [None, 9.0, 9.0, 9.0, 9.0])],
            "Use a rate of 0.02, times 0.9 every epoch. No constant rate was trained to the end, so there is nothing "
            "to compare it with.",
        ),
        ([(CONSTANT, "search", FIVE)], "Use a constant rate of 0.01. No schedule was compared with it."),
        (
            [(LAMBDA, "search", [None, None]), (CONSTANT, "constant", [None, 9.0])],
            "Not confirmed: the best of 4 trials used a constant rate of 0.01. Each finalist diverged or failed on a "
            "fresh seed: do not rely on it.",
        ),
        (
            [(LAMBDA, "search", FIVE), (CONSTANT, "constant", FIVE[:3])],
            "Not confirmed: the best of 4 trials used a constant rate of 0.01.",
        ),
    ],
    ids=["gain", "not shown", "constant", "simpler", "no constant", "only constant", "all diverged", "unfinished"],
)
def test_the_headline_says_what_the_numbers_show(
    told: Callable[[list[Finalist]], Answer], finalists: list[Finalist], sentence: str
) -> None:
    assert told(finalists).headline() == sentence


def test_a_schedule_that_gains_nothing_is_never_recommended_in_the_same_breath(
    told: Callable[[list[Finalist]], Answer],
) -> None:
    """Whatever the values: a recommended schedule and "gains nothing" exclude each other."""
    for by in (-3.0, -1.0, -0.1, 0.0, 0.1, 1.0, 3.0):
        words = told([(LAMBDA, "search", FIVE), (CONSTANT, "constant", shifted(by))]).headline()
        assert ("gains nothing" in words) <= words.startswith("Use a constant rate")


def test_three_rows_say_what_to_expect_and_who_won(mixed: optuna.Study, confirmation: Confirm) -> None:
    definition = mixed.user_attrs["lrsearch:definition"]
    mixed.set_user_attr(
        "lrsearch:definition", {**definition, "try": [{"lr": 0.02, "scheduler": "lambda", "decay": 0.9}]}
    )
    linked = confirmation(
        [(COSINE, "search", FIVE), (CONSTANT, "constant", shifted(3)), (LAMBDA, "try", shifted(-6.0 + 9.5, 3.5))]
    )
    header, first, second, third, fourth = answer(read(mixed, linked)).table()
    assert header == ["settings", "error to expect", "beat constant"]
    assert (first[0], first[2]) == ("recommended", "5 of 5 seeds")
    assert second == ["best constant rate, 0.01", "13 (11.1 to 15)", "–"]
    assert (third[0], third[2]) == ("today: a rate of 0.02, times 0.9 every epoch", "2 of 5 seeds")
    assert fourth == ["no learning: the network before training", "30", "–"]


def test_without_a_confirmation_single_runs_are_compared_with_single_runs(
    mixed: optuna.Study, trial: Callable[..., Any]
) -> None:
    """What to expect of the best one alone, beside what another one came to by luck, would look worse than that."""
    mixed.add_trial(trial(7.0, "lambda", 0.02))
    told = answer(read(mixed))
    found = told.recommendation
    assert found is not None
    assert found.constant is not None
    header, first, second = told.table()
    assert header == ["settings", "test MSE in the search"]
    assert first == ["recommended, unconfirmed", brief(found.value)]
    assert second == [f"best constant rate, {wording.rate(found.constant.params)}", brief(found.constant.value)]
    assert f"expect about {brief(found.expected)}" in told.how_sure()


def test_how_sure_says_what_it_rests_on(told: Callable[[list[Finalist]], Answer]) -> None:
    words = told([(COSINE, "search", FIVE), (CONSTANT, "constant", shifted(3))]).how_sure()
    assert "2 settings were trained on 5 fresh seeds and scored on 300 holdout rows that the search never saw." in words
    assert "single runs gave 8 to 12" in words
    assert "They are better than the best constant rate by 3.02 (95 % interval" in words


def test_where_nothing_is_decided_more_seeds_are_offered(told: Callable[[list[Finalist]], Answer]) -> None:
    words = told([(LAMBDA, "search", FIVE), (CONSTANT, "constant", shifted(1.0, 1.0))]).how_sure()
    assert "worse to" in words
    assert "About 7 seeds would tell: lrsearch study confirm small --seeds 7." in words


def test_larger_may_be_better(trial: Callable[..., Any], confirmation: Confirm) -> None:
    maximised = optuna.create_study(study_name="small", direction="maximize")
    maximised.set_user_attr("lrsearch:metric", "accuracy")
    maximised.add_trials([trial(0.5), trial(0.7, lr=0.02)])
    unconfirmed = answer(read(maximised))
    assert unconfirmed.recommendation is not None
    assert (unconfirmed.recommendation.value, unconfirmed.recommendation.expected) == (0.7, 0.6)
    values = [0.8, 0.81, 0.82, 0.83, 0.84]
    linked = confirmation(
        [(COSINE, "search", values), (CONSTANT, "constant", [value - 0.1 for value in values])], before=0.1
    )
    told = answer(read(maximised, linked))
    assert told.headline() == "Use cosine decay from 0.175031: about 14 % higher accuracy than the best constant rate."
    assert told.recommendation is not None
    assert told.recommendation.constant is not None
    assert told.recommendation.constant.difference == pytest.approx(0.1)
    assert told.recommendation.expected <= told.recommendation.value, "having been picked never makes it better"


def test_markdown_sets_the_headline_off_and_escapes_names(mixed: optuna.Study, confirmation: Confirm) -> None:
    hostile = {"lr": 0.01, "scheduler": "a|b<script>*x*{lr}"}
    text = markdown.text(read(mixed, confirmation([(hostile, "search", FIVE), (CONSTANT, "constant", shifted(3))])))
    assert r"**Use a\|b&lt;script&gt;\*x\*{lr} from 0.01: about 23 % lower error than the best constant rate.**" in text
