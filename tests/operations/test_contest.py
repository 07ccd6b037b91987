"""What people do without a search, trained beside a confirmation: it changes nothing there, and it may win."""

from __future__ import annotations

import inspect
import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lrsearch
from lrsearch import registry
from lrsearch.cli.lr_find import lr_find
from lrsearch.operations import export
from lrsearch.report import frames, markdown
from lrsearch.report.gains import label, sentences
from lrsearch.report.headline import Answer
from lrsearch.search import contest as preparation
from lrsearch.storage.attributes import CONTESTANTS, DEFINITION, FINALISTS, PLAN, RECOMMENDATION
from lrsearch.study import contest, overview, recommendation
from lrsearch.study import stored as studies
from lrsearch.study.gained import gains, searched
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import TrainingSection
from lrsearch.training import found_rate
from lrsearch.training.ramp import Plan

STUDY = """
[study]
name = "small"
[task]
name = "polynomial"
rows = 100
holdout_rows = 40
[training]
epochs = 4
batch_size = 14
[search]
lr = { choices = [1e-6, 2e-6] }
schedulers = ["constant", "linear"]
[search.linear]
final = 0.0
[sampler]
name = "grid"
[confirm]
top = 1
seeds = 2
contestants = %s
"""
"""Rates that teach nothing, so that any contestant is better."""
ASKED = ["default_rate", "prodigy", "schedule_free_sgd"]


def run(url: str, asked: list[str] | None) -> StoredStudy:
    document = tomllib.loads(STUDY % json.dumps(asked or []))
    if asked is None:
        del document["confirm"]["contestants"]
    return lrsearch.run_study(lrsearch.create_study(document, storage=url), engine="sequential")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('contest')}/a.db"


@pytest.fixture(scope="module")
def stored(url: str) -> StoredStudy:
    """Searched, confirmed and contested."""
    return run(url, ASKED)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> StoredStudy:
    """The same without contestants."""
    return run(f"sqlite:///{tmp_path_factory.mktemp('alone')}/a.db", [])


def confirmed(stored: StoredStudy) -> StoredStudy:
    found = studies.linked(stored, "confirm")
    assert found is not None
    return found


def test_the_confirmation_is_what_it_is_without_them(stored: StoredStudy, alone: StoredStudy) -> None:
    """Seeds, looks, runs and values, bit for bit."""
    one, other = confirmed(stored), confirmed(alone)
    for key in (PLAN, FINALISTS, DEFINITION):
        assert one.reader.attributes()[key] == other.reader.attributes()[key]
    assert [(own.params, own.values, own.intermediate_values) for own in one.trials()] == [
        (own.params, own.values, own.intermediate_values) for own in other.trials()
    ]
    assert CONTESTANTS not in other.reader.attributes()
    assert contest.linked_studies(alone) == []


def test_each_is_trained_on_the_same_seeds_with_its_own_optimizer(stored: StoredStudy) -> None:
    made = {own.name: own for own in contest.linked_studies(stored)}
    assert list(made) == [f"small/contestants{end}" for end in ("", "/prodigy", "/schedule_free_sgd")]
    for own in made.values():
        assert {trial.params["seed"] for trial in own.trials()} == {1000, 1001}
    first = made["small/contestants/prodigy"].definition
    assert first is not None
    assert (first.training.optimizer, first.training.epochs, first.training.batch_size) == ("prodigy", 4, 14)
    assert first.training.options == {"safeguard_warmup": True, "use_bias_correction": True}
    rates = contest.decision(stored)
    assert rates is not None
    assert rates.rates["default_rate"] == 0.001, "what torch's SGD takes where nobody names one"


def test_who_wins_is_recommended_and_everybody_is_told_so(
    stored: StoredStudy, url: str, here: Callable[..., Any], tmp_path: Path
) -> None:
    """One answer: parameters, code, headline, list, report, export; and a single run that follows it."""
    found = recommendation.best_settings(stored)
    evidence = recommendation.evidence_of(stored)
    assert evidence is not None
    assert evidence.recommended.role in ASKED
    assert dict(evidence.contestants).keys() == set(ASKED)
    kept = stored.reader.attributes()[RECOMMENDATION]
    assert (kept["params"], kept["made_from"]) == (found.params, recommendation._made_from(stored))
    (row,) = overview.overview(url, pytest.fail)
    assert (row["lr"], row["out_of_date"], row["confirmed"]) == (found.params["lr"], False, 2)
    assert found.params == {"optimizer": "schedule_free_sgd", "lr": 1.0, "scheduler": "constant"}
    assert found.code is not None
    assert "from schedulefree import SGDScheduleFree" in found.code
    assert "optimizer.eval()" in found.code
    assert "lr=1.0" in here("study", "best", "small", "--storage", url).stdout
    told = Answer.of(stored)
    known = replace(told, evidence=replace(evidence, prediction=None, untrained=None))  # 4 epochs teach little
    assert known.headline().startswith("Use schedule-free SGD with a constant rate of 1: ")
    assert "end of the range" not in known.headline(), "its rate is on another scale than the search's"
    report = markdown.text(frames.read_stored(stored))
    assert "### What the search gained" in report
    again = here("train", "--from-study", "small", "--storage", url, "--format", "json", "--quiet")
    assert again.returncode == 0, again.stderr
    table = tmp_path / "finalists.csv"
    export.finalists(stored, table)
    judged = here("judge", str(table), "--value", "value", "--settings", "lr,scheduler", "--format", "json")
    assert judged.returncode == 0, judged.stderr
    assert json.loads(judged.stdout)["recommended"]["params"] == found.params


def test_the_search_is_compared_with_each(stored: StoredStudy) -> None:
    evidence = recommendation.evidence_of(stored)
    assert evidence is not None
    best = searched(evidence)
    assert best is not None
    assert best.role in ("search", "constant")
    found = {one.name: one for one in gains(evidence)}
    assert list(found) == ASKED, "in the order of the names"
    for name in ("default_rate", "schedule_free_sgd"):
        difference = found[name].difference
        assert difference is not None
        assert difference.mean < 0, "rates that teach nothing gain nothing"
    text = " ".join(sentences(evidence, stored.definition))
    assert all(label(name, stored.definition) in text for name in ASKED)
    assert "SGD's default rate" in text


def test_asked_again_nothing_is_trained_again(stored: StoredStudy) -> None:
    assert not contest.is_wanted(stored)
    before = [len(own.trials()) for own in contest.linked_studies(stored)]
    lrsearch.run_study(stored, engine="sequential")
    assert [len(own.trials()) for own in contest.linked_studies(stored)] == before


def test_left_to_us_they_take_part_while_they_add_little(alone: StoredStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minutes, where the search took no time; each has 4 epochs on 2 seeds."""
    assert alone.definition is not None
    confirm = alone.definition.confirm.model_copy(update={"contestants": None})
    left = studies.redefine(alone, alone.definition.model_copy(update={"confirm": confirm}))
    assert contest.is_wanted(left)
    monkeypatch.setattr(preparation, "epoch_seconds", lambda *_: 14.9)
    monkeypatch.setattr(preparation, "updates", lambda: 10**6)
    assert [own.name for own in preparation.prepare(left, "cpu")] == ["small/contestants"]
    decided = contest.decision(left)
    assert decided is not None
    assert list(decided.rates) == ["default_rate"], "8 epochs take 119.2 s, and nothing fits beside them"
    assert "all together may add 120 s" in decided.left_out["prodigy"]
    assert contest.is_wanted(left), "its runs wait to be trained"


def test_its_rate_is_that_of_the_command(here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command's defaults; shorter ones are compared. One cycle has it as its peak."""
    defaults = {name: one.default for name, one in inspect.signature(lr_find).parameters.items()}
    names = ("low", "high", "batches", "seeds", "look")
    plan = found_rate.Plan()
    assert [defaults[name] for name in names] == [plan.low, plan.high, plan.updates, plan.seeds, found_rate.LOOK]
    monkeypatch.setattr(found_rate, "Plan", lambda: Plan(updates=120, seeds=1))
    monkeypatch.setattr(found_rate, "LOOK", 50)
    short = ("--batches", "120", "--seeds", "1", "--look", "50")
    options = ("--set", "task.rows=60", "--set", "training.batch_size=42", "--format", "json", "--quiet", *short)
    said = json.loads(here("lr-find", "--task", "polynomial", *options).stdout)
    assert said["second_look"] is not None
    task = registry.tasks.get("polynomial").build({"rows": 60})
    looking = preparation._Looking(task, TrainingSection(batch_size=42), "cpu", seeds=2)
    assert looking.rate("one_cycle") == looking.rate("lr_find") == said["lr"]
