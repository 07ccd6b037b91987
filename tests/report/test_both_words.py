"""What is said about the other way to keep a run."""

from __future__ import annotations

from collections.abc import Callable

import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.report import markdown
from lrsearch.report.both_words import BothWords
from lrsearch.report.frames import read
from lrsearch.report.verdict import answer
from lrsearch.study.both_answers import Answer, BothAnswers

LAST = Answer({"lr": 0.0012, "scheduler": "constant"}, 4.0, 480)
BEST = Answer({"lr": 0.038, "scheduler": "constant"}, 3.6, 16)


def test_the_verdict_warns_who_keeps_the_other_epoch() -> None:
    told = BothWords(BothAnswers(LAST, BEST), "mse", "last").warning()
    assert told == [
        "All of this is for keeping the last epoch of a run. If you keep the best one, take a constant rate of 0.038 "
        "instead, after 16 epochs, with 10 % less error."
    ]
    other = " ".join(BothWords(BothAnswers(LAST, BEST, confirmed=False), "mse", "best").warning())
    assert other == (
        "All of this is for keeping the best epoch of a run. If you keep the last one, take a constant rate of 0.0012 "
        "instead, for 480 epochs; this is not confirmed."
    )
    assert not BothWords(BothAnswers(LAST, LAST), "mse", "last").warning()


@pytest.mark.parametrize("confirmed", [True, False])
def test_both_answers_say_epochs_and_what_they_save(confirmed: bool) -> None:
    told = " ".join(BothWords(BothAnswers(LAST, BEST, confirmed), "mse", "last").paragraph())
    assert "If you keep the last epoch: constant, lr 0.0012, 480 epochs, test MSE 4." in told
    assert "constant, lr 0.038, best after 16 epochs, 3.6, which is 0.4 better and takes 3 % of the epochs." in told
    assert ("Both are unconfirmed" in told) != confirmed
    assert not BothWords(BothAnswers(LAST, LAST), "mse", "last").paragraph()


def test_a_study_without_confirmation_has_both_answers(
    study: Callable[..., optuna.Study], trial: Callable[..., FrozenTrial]
) -> None:
    """Its fast rate was best early; the report marks both as unconfirmed, and the verdict warns."""
    fast = trial(9.0, lr=0.9)
    fast.intermediate_values[2] = 5.0
    frames = read(study([trial(8.0, lr=0.01), fast]))
    assert "Both are unconfirmed" in markdown.text(frames)
    assert "If you keep the best one, take a constant rate of 0.9 instead, after 2 epochs" in answer(frames).how_sure()
