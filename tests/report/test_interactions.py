"""The rate with weight decay and batch size: what is drawn, and what is said of the batch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.report import batch_size_words, diagnosis, figures, gallery
from lrsearch.report.frames import StudyFrames, read
from lrsearch.report.interactions import interactions

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]
SIZES = [12, 25, 50, 100, 200]
SEARCH = {
    "lr": {"low": 1e-4, "high": 0.1, "log": True},
    "schedulers": ["constant"],
    "optimizers": ["sgd", "adamw"],
    "training": {
        "batch_size": {"choices": SIZES},
        "adamw": {"weight_decay": {"low": 1e-5, "high": 0.1, "log": True}},
    },
}


@pytest.fixture
def frames(trial: Make, study: MakeStudy) -> StudyFrames:
    """Trials of two optimizers; adamw's best rate moves as the batch size to the power .68, sgd's values are noise."""

    def params(place: int, rng: np.random.Generator) -> tuple[dict[str, Any], float]:
        optimizer = ("sgd", "adamw")[place % 2]
        rate, size = float(10 ** rng.uniform(-4, -1)), SIZES[place // 2 % 5]
        own = {"optimizer": optimizer, "scheduler": "constant", f"{optimizer}.lr": rate, "batch_size": size}
        if optimizer == "sgd":
            return own, float(0.3 + 0.1 * rng.random())
        away = np.log(rate / 0.0038) - 0.68 * np.log(size / 50)
        return {**own, "adamw.weight_decay": float(10 ** rng.uniform(-5, -1))}, float(0.1 * np.exp(0.05 * away**2))

    rng = np.random.default_rng(0)
    made = [params(place, rng) for place in range(120)]
    return read(study([trial(value, params=own) for own, value in made], search=SEARCH))


def said(frames: StudyFrames) -> Sequence[str]:
    return [" ".join(batch_size_words.sentences(one)) for one in interactions(frames) if one.key == "batch_size"]


def test_each_optimizer_has_its_own_panels(frames: StudyFrames) -> None:
    assert [(one.optimizer, one.key) for one in interactions(frames)] == [
        ("adamw", "weight_decay"),
        ("sgd", "batch_size"),
        ("adamw", "batch_size"),
    ]


def test_the_batch_is_spoken_of_only_where_the_trials_carry_it(frames: StudyFrames) -> None:
    sgd, adamw = said(frames)
    assert "With sgd: How the best rate moves with the batch size is not known" in sgd
    assert "With adamw: If you double the batch, multiply the rate by 1.6 (95 % interval 1." in adamw
    assert "to the power 0.68" in adamw


def test_few_trials_are_not_spoken_of(trial: Make, study: MakeStudy) -> None:
    own = [{"lr": 0.001 * (n + 1), "scheduler": "constant", "batch_size": SIZES[n % 5]} for n in range(12)]
    search = {"schedulers": ["constant"], "training": {"batch_size": {"choices": SIZES}}}
    (words,) = said(read(study([trial(8.0 + n, params=params) for n, params in enumerate(own)], search=search)))
    assert "cannot be said: that takes 20 trials to the end" in words


def test_the_figure_can_be_drawn_wide_and_narrow(frames: StudyFrames) -> None:
    (picture,) = [one for one in gallery.pictures(frames) if one.file == "rate_interactions.png"]
    assert "multiply the rate by 1.6" in picture.reading
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = picture.draw(frames)
        assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == ["adamw", "sgd", "adamw"]
        assert [text.get_text() for text in figure.axes[2].get_yticklabels()] == list(map(str, SIZES))
        assert len(figures.png(figure)) > 5000
        with figures.narrow():
            assert len(figures.png(picture.draw(frames))) > 5000


def test_nothing_is_drawn_where_neither_was_searched(trial: Make, study: MakeStudy) -> None:
    assert not interactions(read(study([trial(8.0 + n, lr=0.001 * (n + 1)) for n in range(30)])))


def test_what_only_one_optimizer_has_counts_among_its_trials(frames: StudyFrames) -> None:
    words = [one.words for one in diagnosis.findings(frames, None) if one.words.startswith("What separates")]
    assert "adamw.weight_decay" not in words[0]
    (of_adamw,) = [one for one in words if "among those of adamw" in one]
    assert "adamw.weight_decay" in of_adamw
    assert of_adamw.count("lr") == 1  # the rate is not counted twice, under its own name and the optimizer's
