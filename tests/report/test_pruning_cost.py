"""What the report says about pruning follows from the audit, and claims no more."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial

from lrsearch.report import html, markdown
from lrsearch.report.document import Form
from lrsearch.report.frames import read
from lrsearch.report.pruning_cost import pruning_cost
from lrsearch.storage import attributes
from lrsearch.study_file.load import parse

Make = Callable[..., FrozenTrial]
MakeStudy = Callable[..., optuna.Study]
HALVING = {"name": "halving", "rungs": [0.25, 0.5], "keep": 0.333}


def said(study: optuna.Study) -> str:
    return "\n\n".join(pruning_cost(read(study)))


def remedy(text: str) -> dict[str, Any]:
    """The suggested key; with it a study file is valid."""
    block = re.search(r"```toml\n(.*?)\n```", text, re.DOTALL)
    assert block
    changed = tomllib.loads(block[1])
    parse({"study": {"name": "s"}, "task": {"name": "polynomial"}, **changed}, "test")
    return {key: value for key, value in changed["pruner"].items() if key != "name"}


def test_without_an_audit_it_says_what_was_saved_and_how_to_learn_more(mixed: optuna.Study) -> None:
    text = said(mixed)
    assert "Pruning ended 4 of 12 trials early, and saved 12 (21 %) of the 56 epochs" in text
    assert "What it cost is not known: `audit = 0.05` in the `[pruner]` section" in text
    assert "|" not in text


def test_an_audit_that_drew_nobody_says_so(trial: Make, study: MakeStudy) -> None:
    made = study([trial(), trial(state="pruned", epochs=2)], pruner={**HALVING, "audit": 0.05})
    assert "with `audit = 0.05`, none of these trials was drawn" in said(made)


def test_nothing_pruned_has_no_section(trial: Make, study: MakeStudy) -> None:
    made = study([trial(), trial(9.0)], pruner={"name": "none"})
    assert pruning_cost(read(made)) == []
    assert "What pruning cost" not in markdown.text(read(made))


def test_nothing_lost_is_a_bound_and_not_a_zero(trial: Make, study: MakeStudy, audit: Make) -> None:
    trials = [trial(8.0), *(audit(9.0 + n) for n in range(12)), trial(20.0, state="pruned", epochs=2)]
    text = said(study(trials))
    assert "**Pruned trials would have ended among the best tenth in 0 of 12 audited cases**" in text
    assert "with 95 % confidence that holds for fewer than 27 % of the 13 pruned trials" in text
    assert "A larger `audit` says more." in text
    assert "saved 4 (5 %) of the 84 epochs that all of them would have taken, less the 36 epochs of its audit" in text
    assert "ends better than the one trial that was neither pruned nor diverged: test MSE below 8." in text
    assert "| 0 % to 27 % |" in re.sub(" +", " ", text)
    many = study([trial(8.0), *(audit(9.0 + n) for n in range(60))], "many")
    assert "fewer than 6 % of the 60 pruned trials" in said(many)
    assert "A larger" not in said(many)


def test_what_was_lost_is_scaled_up_and_the_type_that_suffers_is_named(
    trial: Make, study: MakeStudy, audit: Make
) -> None:
    """One of one of lambda says less than four of six of one_cycle."""
    trials = [trial(8.0 + n) for n in range(20)]  # the second best, 9, holds the mark
    trials += [audit(8.5, "lambda"), *(audit(30.0, "constant") for _ in range(5))]
    trials += [audit(end, "one_cycle", epochs=epochs) for end, epochs in ((7.0, 2), (8.1, 3), (8.2, 3), (8.3, 3))]
    trials += [audit(30.0, "one_cycle"), audit(30.0, "one_cycle")]
    trials += [trial(40.0, "one_cycle", state="pruned", epochs=2) for _ in range(12)]
    text = said(study(trials))
    assert "better than number 2 of the 20 trials that were neither pruned nor diverged: test MSE below 9." in text
    assert "**Pruned trials would have ended among the best tenth in 5 of 12 audited cases**" in text
    assert ": so would about 10 of the 24 pruned" in text
    assert "(95 % interval 5 to 18)" in text
    assert "1 would have been better than the best that the search found." in text
    assert "Of the types one_cycle suffers most: 4 of 6 audited, which were ended after epochs 2 and 3." in text
    assert remedy(text) == {"keep": 0.5}
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert rows[2:] == [
        ["constant", "5", "0", "5", "0", "0 % to 53 %"],
        ["lambda", "1", "0", "1", "1", "2 % to 100 %"],
        ["one_cycle", "18", "48", "6", "4", "22 % to 96 %"],
        ["all types", "24", "48", "12", "5", "15 % to 73 %"],
    ]


@pytest.mark.parametrize(
    ("pruner", "epochs", "key"),
    [
        ({"name": "extrapolation"}, 2, {}),
        (HALVING, 2, {"rungs": [0.5]}),
        (HALVING, 3, {"keep": 0.5}),
        ({"name": "halving", "rungs": [0.5], "keep": 0.8}, 3, {"keep": 0.9}),
        ({"name": "median"}, 3, {"warmup_epochs": 3}),
        ({"name": "percentile", "percentile": 50.0}, 4, {"warmup_epochs": 4}),
        ({"name": "hyperband"}, 3, {"min_epochs": 4}),
    ],
)
def test_the_key_that_is_named_would_have_spared_them(
    pruner: dict[str, Any], epochs: int, key: dict[str, Any], trial: Make, study: MakeStudy, audit: Make
) -> None:
    text = said(study([trial(8.0), audit(7.0, epochs=epochs)], pruner=pruner))
    assert "**Pruned trials would have ended among the best tenth in 1 of 1 audited case**" in text
    assert f"Pruning had ended them after epoch {epochs}." in text
    assert "suffers most" not in text
    assert remedy(text) == key


def test_all_audited(trial: Make, study: MakeStudy, audit: Make) -> None:
    text = said(study([trial(8.0), *(audit(7.0) for _ in range(3))]))
    assert "saved 0 (0 %) of the 24 epochs" in text
    assert (
        "**Pruned trials would have ended among the best tenth in 3 of 3 audited cases**: so would about 3 of the 3"
        in text
    )
    assert "(95 % interval 3 to 3)" in text


def test_audits_that_diverged_count_and_those_that_failed_do_not(trial: Make, study: MakeStudy, audit: Make) -> None:
    diverged = [audit(None, diverged_at=5), audit(None, diverged_at=6)]
    failed = audit(None, error="RuntimeError: no luck", trained=1)
    text = said(study([trial(8.0), *diverged, failed]))
    assert "2 of the 2 audited trials diverged after all and count as not among the best." in text
    assert "Training failed in 1 further audit, left out here." in text
    assert "**Pruned trials would have ended among the best tenth in 0 of 2 audited cases**" in text
    assert "training failed in 1 audit." in said(study([trial(8.0), failed], "failed"))


def test_nothing_to_compare_with(trial: Make, study: MakeStudy, audit: Make) -> None:
    text = said(study([audit(7.0), trial(diverged=True)]))
    assert "What it cost cannot be said: no trial that was not pruned reached the last epoch." in text


def test_names_from_the_database_are_text(trial: Make, study: MakeStudy, audit: Make) -> None:
    hostile = "a|b<script>alert(1)</script> **y** `z`"
    made = study([trial(8.0, "constant"), audit(7.0, hostile), audit(9.0, "constant")], metric="<b>m|n")
    text = said(made)
    assert "<script>" not in text
    assert "<b>" not in text
    page = html.page(text, "x", {})
    assert "<script>" not in page
    assert {line.count("|") - line.count(r"\|") for line in text.splitlines() if line.startswith("|")} == {7}


def test_both_forms_of_the_report_have_the_section_and_are_the_same_twice(
    trial: Make, study: MakeStudy, audit: Make, tmp_path: Path
) -> None:
    frames = read(study([trial(8.0), trial(9.0, "lambda"), audit(7.0), audit(12.0, "lambda")]))
    for form in Form:
        files = [markdown.write(frames, tmp_path / f"{form}{n}", form) for n in range(2)]
        assert files[0].read_bytes() == files[1].read_bytes()
        assert "What pruning cost and saved" in files[0].read_text(encoding="utf-8")
    assert "## Diagnosis" in (text := markdown.text(frames))
    assert text.index("### What pruning cost and saved") < text.index("### What went wrong")


def test_the_audits_seconds_are_seconds_of_training(trial: Make, study: MakeStudy, audit: Make) -> None:
    text = markdown.text(read(study([trial(8.0), audit(9.0, **{attributes.SECONDS: 0.5})])))
    assert "All trials together trained for 1.25 s." in text
