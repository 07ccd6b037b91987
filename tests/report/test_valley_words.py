"""What is said about other rates than the recommended one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import optuna
import pandas as pd
import pytest

from lrsearch.report import figures, gallery, markdown
from lrsearch.report.frames import read
from lrsearch.report.valley_words import ValleyWords
from lrsearch.report.verdict import answer, verdict
from lrsearch.storage import attributes
from lrsearch.study.rate_valley import OtherRate, RateValley, Standing

OPEN = OtherRate(0.05, 6, 0, 0.4, (-0.2, 1.0), Standing.OPEN)
WITHIN = OtherRate(0.05, 6, 0, 0.02, (-0.02, 0.06), Standing.WITHIN)
WORSE = OtherRate(0.2, 6, 0, 1.2, (0.8, 1.6), Standing.OUTSIDE)
LOST = OtherRate(0.2, 6, 3, None, None, Standing.LOST)


def said(*rates: OtherRate, low: float = 0.1, metric: str = "mse") -> str:
    return " ".join(ValleyWords(RateValley(0.1, 10.0, 0.1, low, 0.1, rates), metric).sentences())


def test_each_side_is_told_by_what_is_shown() -> None:
    assert said(OPEN, WORSE) == (
        "No other rate is shown to be within 1 % of the recommended one. Half the rate, 0.05, came out about 4 % "
        "worse, but that is not decided: anything from 0.2 better to 1 worse is possible (95 % interval). Twice the "
        "rate, 0.2, is about 12 % worse: anything from 0.8 worse to 1.6 worse is possible (95 % interval)."
    )
    told = said(WITHIN, LOST, low=0.05)
    assert told.startswith("Rates from 0.05 to 0.1 are shown to be within 1 % of the recommended one.")
    assert "Half the rate, 0.05, makes no difference that matters" in told
    assert "Twice the rate, 0.2, diverged or failed on 3 of 6 seeds: stay away from it." in told


def test_a_metric_that_is_no_error_is_told_in_its_own_unit() -> None:
    assert "is about 1.2 worse" in said(WORSE, metric="auroc")


def test_the_table_has_the_recommended_rate_in_its_place() -> None:
    header, *rows = ValleyWords(RateValley(0.1, 10.0, 0.1, 0.1, 0.1, (OPEN, LOST)), "mse").table()
    assert [len(row) for row in rows] == [len(header)] * 3
    assert [row[0] for row in rows] == ["0.05", "0.1", "0.2"]
    assert [row[-1] for row in rows] == ["not decided", "recommended", "lost on 3"]


def with_flanks(made: optuna.Study) -> optuna.Study:
    """The same confirmation, with its last two finalists as flanks of the first."""
    *entries, half, twice = made.user_attrs[attributes.FINALISTS]
    made.set_user_attr(attributes.FINALISTS, entries)
    flanks = [{**one, "role": "beside", "number": None, "value": None, "seeds": 4} for one in (half, twice)]
    made.set_user_attr(attributes.BESIDE, flanks)
    return made


@pytest.mark.parametrize("rows", ["holdout", "test"])
def test_report_figure_and_terminal_show_the_valley(
    rows: str, mixed: optuna.Study, confirmation: Callable[..., optuna.Study]
) -> None:
    rates = {0.02: [8.0, 8.1, 8.2, 8.1], 0.01: [8.4, 8.5, 8.6, 8.5], 0.04: [8.01, 8.11, 8.21, 8.12]}
    finalists = [({"lr": lr, "scheduler": "constant"}, "search", values) for lr, values in rates.items()]
    plain = read(mixed, confirmation(finalists[:1], rows=rows))
    assert "The valley" not in markdown.text(plain)
    frames = read(mixed, with_flanks(confirmation(finalists, rows=rows)))
    text = markdown.text(frames)
    assert "## The valley: how wrong may the rate be?" in text
    assert "Rates from 0.02 to 0.04 are shown to be within 1 % of the recommended one." in text
    assert "Half the rate, 0.01, is about 5 % worse" in text
    assert "| 0.04 |" in text
    assert verdict(frames) == verdict(plain), "nothing else changes"
    assert "Rates from 0.02 to 0.04" in answer(frames).how_wrong()
    drawn = next(one for one in gallery.pictures(frames) if one.file == "valley.png").draw(frames)
    assert len(figures.png(drawn)) > 5000
    assert len(drawn.axes) == 1, "one or two rates of the search say nothing"
    searched = pd.concat([frames.trials.assign(lr=frames.trials["lr"] * factor) for factor in (1, 2, 3)])
    with_more = replace(frames, trials=searched.reset_index(drop=True))
    assert len(figures.valley(with_more).axes) == (2 if rows == "holdout" else 1)
    assert frames.answer is not None
    far = OtherRate(0.01, 2, 0, 0.1, (-900.0, 900.0), Standing.OPEN)
    reaching = replace(frames, answer=replace(frames.answer, valley=RateValley(0.02, 8.0, 0.1, 0.02, 0.02, (far,))))
    (shown,) = figures.valley(reaching).legends
    assert "beyond the axis (2)" in [text.get_text() for text in shown.get_texts()]
