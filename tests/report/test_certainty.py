"""How sure an answer is, in words: for every way in which a comparison may end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lrsearch.report.certainty import Certainty
from lrsearch.report.headline import Answer
from lrsearch.study.contender import Baseline, Contender
from lrsearch.study.evidence import Evidence
from lrsearch.study.recommended_settings import Recommendation
from lrsearch.study.snippet import Steps
from lrsearch.study_file.load import parse

Values = NDArray[np.float64]
RNG = np.random.default_rng(0)
SEEDS, ROWS = 8, 60
OF_SEEDS, OF_ROWS = RNG.normal(size=(SEEDS, 1)), RNG.normal(size=(1, ROWS))
REST = RNG.normal(size=(SEEDS, ROWS))


def contender(scheduler: str, cells: Values, lr: float = 0.01) -> Contender:
    values = cells.mean(axis=1)
    params = {"lr": lr, "scheduler": scheduler}
    return Contender(params, "search", 0, None, values, values, 0, 0, Steps(60), cells, len(cells))


def evidence(schedule: Values, constant: Values, **more: object) -> Evidence:
    found = [contender("cosine", schedule), contender("constant", constant)]
    found.sort(key=lambda one: one.mean)
    return replace(Evidence("holdout", ROWS, "", list(range(SEEDS)), found), **more)  # type: ignore[arg-type]


def answer(found: Evidence, lr: dict[str, float | bool] | None = None) -> Answer:
    document = {
        "study": {"name": "s"},
        "task": {"name": "polynomial"},
        "search": {"lr": lr or {"low": 1e-4, "high": 1}},
    }
    chosen = found.recommended
    recommended = Recommendation(
        "s", "mse", "minimize", "confirmed", "holdout", chosen.params, chosen.mean, found.expected.mean, None, SEEDS,
        0, None, None, None, found.learned, found.covers, Steps(),
    )  # fmt: skip
    return Answer("s", recommended, found, parse(document, "test"), 9)


def words(found: Evidence) -> str:
    return " ".join(Certainty(found, str, lambda options: f"lrsearch study confirm s{options}").sentences())


BASE = 10 + OF_SEEDS + OF_ROWS


def test_what_is_told_apart_says_by_how_much() -> None:
    found = evidence(BASE, BASE + 2 + 0.1 * REST)
    assert answer(found).headline().startswith("Use cosine decay from 0.01: about ")
    assert "They are better than the best constant rate by " in words(found)
    assert "The intervals hold for other seeds and for other rows of the same kind." in words(found)


def test_what_is_equal_gains_nothing() -> None:
    found = evidence(BASE, BASE + 0.01 * REST)
    assert answer(found).headline() == "Use a constant rate of 0.01. A schedule gains nothing here."
    assert "the difference is too small to matter" in words(found)


def test_rows_or_seeds_are_asked_for_where_they_would_decide() -> None:
    of_rows = evidence(BASE, BASE + 0.15 + 3 * RNG.normal(size=(1, ROWS)), margin=0.05)
    assert "holdout rows would tell; more seeds will not." in words(of_rows)
    of_seeds = evidence(BASE, BASE + 0.5 + 1.5 * RNG.normal(size=(SEEDS, 1)), margin=0.05)
    assert "seeds would tell: lrsearch study confirm s --seeds " in words(of_seeds)
    for found in (of_rows, of_seeds):
        assert "not " in answer(found).headline(), "it is not certain, or not decided"
        assert "gains nothing" not in answer(found).headline()


def test_where_nothing_was_learned_that_is_the_headline() -> None:
    found = evidence(BASE, BASE + 0.01 * REST, prediction=Baseline("the mean of the training targets", BASE[:1] + 0.0))
    assert answer(found).headline() == (
        "Nothing seems to be learned here: no setting is shown to be better than the mean of the training targets."
    )
    assert [row[0] for row in answer(found).table()][-1] == "no learning: the mean of the training targets"
    better = replace(found, prediction=Baseline("the mean of the training targets", BASE[:1] + 20))
    assert answer(better).headline().startswith("Use ")


@pytest.mark.parametrize(
    ("lr", "sentence"),
    [
        ({"low": 0.0095, "high": 1.0}, "at the lower end of the range, 0.0095: search lower ones."),
        ({"low": 1e-4, "high": 0.0105}, "at the upper end of the range, 0.0105: search higher ones."),
        ({"low": 1e-4, "high": 1.0}, ""),
    ],
)
def test_a_rate_at_the_edge_of_its_range_is_in_the_headline(lr: dict[str, float], sentence: str) -> None:
    said = answer(evidence(BASE, BASE + 2), {**lr, "log": True}).headline()
    assert sentence in said
    assert ("end of the range" in said) == bool(sentence)


def test_runs_that_fall_into_groups_are_told() -> None:
    stuck = np.where(np.arange(SEEDS) < 3, 16.0, 10.0)[:, None] + 0.2 * OF_SEEDS + 0.1 * OF_ROWS
    said = words(evidence(stuck, stuck + 5))
    assert "Its runs fall into two groups: 5 of 8 reach " in said
    assert "3 get stuck at " in said
    assert "groups" not in words(evidence(BASE, BASE + 5))


def test_who_has_left_is_counted() -> None:
    left = contender("linear", np.concatenate([BASE[:2] + 9, np.full((SEEDS - 2, ROWS), np.nan)]))
    found = evidence(BASE, BASE + 2)
    some = replace(found, contenders=[*found.contenders, replace(left, planned=2)])
    assert "3 settings were trained on fresh seeds" in words(some)
    assert "2 of them on all 8 seeds" in words(some)
    assert some.missing == 0
