"""A list of studies says what each study says of itself, at the cost of a few statements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy
from optuna.trial import TrialState, create_trial

from lrsearch.storage import glance, looking, tables
from lrsearch.storage.attributes import RECOMMENDATION
from lrsearch.storage.rdb import open_storage, parse
from lrsearch.study import control, recommendation, status
from lrsearch.study import stored as studies
from lrsearch.study.overview import KEYS, made_from, overview, rows
from lrsearch.study_file import load

TEXT = {"task": {"name": "polynomial"}, "search": {"schedulers": ["constant"]}, "try": [{"lr": 0.1}]}


def add(url: str, name: str, values: list[float], *, confirm: bool = False) -> studies.StoredStudy:
    """A study with trials that nobody trained."""
    storage = open_storage(url, create=True)
    document = {"study": {"name": name, "trials": len(values) + 1}, **TEXT, "confirm": {"top": 2 if confirm else 0}}
    document["try"] = [{"lr": 0.1, "scheduler": "constant"}]
    stored = studies.create(storage, load.parse(document, "test"), "mse")
    lr = optuna.distributions.FloatDistribution(1e-4, 0.3, log=True)
    kind = optuna.distributions.CategoricalDistribution(["constant"])
    for number, value in enumerate(values):
        params = {"lr": 0.01 * (number + 1), "scheduler": "constant"}
        made = create_trial(state=TrialState.COMPLETE, value=value, params=params,
                            distributions={"lr": lr, "scheduler": kind})  # fmt: skip
        stored.study.add_trial(made)
    return stored


def fail(name: str, error: Exception) -> None:
    raise AssertionError(f"{name} is left out") from error


def listed(url: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in overview(url, fail)}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'list.db'}"


def test_a_row_says_what_the_study_says(url: str) -> None:
    stored = add(url, "one", [3.0, 1.0, 2.0])
    row, counts = listed(url)["one"], status.count(stored)
    assert (row["trials"], row["finished"], row["waiting"]) == (counts.budget, counts.finished, counts.waiting)
    assert row["best"] == status.best_value(stored) == 1.0
    control.exclude(stored, 2, "wrong")
    assert listed(url)["one"]["best"] == status.best_value(stored) == 2.0


def test_an_answer_is_kept_then_old_and_never_computed(url: str) -> None:
    stored = add(url, "one", [3.0, 1.0])
    assert (listed(url)["one"]["expected"], listed(url)["one"]["out_of_date"]) == (None, None)
    found = recommendation.keep(stored)
    assert found is not None
    row = listed(url)["one"]
    assert (row["expected"], row["lr"], row["out_of_date"]) == (found.expected, found.params["lr"], False)
    control.exclude(stored, 2, "wrong")
    row = listed(url)["one"]
    assert (row["expected"], row["out_of_date"]) == (found.expected, True)


def test_what_an_answer_rests_on_is_the_same_seen_from_both_sides(url: str) -> None:
    stored = add(url, "one", [3.0, 1.0])
    recommendation.keep(stored)
    kept = studies.load(stored.storage, "one").reader.attributes()[RECOMMENDATION]["made_from"]
    with looking.looked_at(parse(url)) as engine:
        assert engine is not None
        seen = glance.glance(engine, KEYS)[0]
    assert json.loads(json.dumps(made_from(seen, None))) == kept


def statements(url: str, number: int) -> int:
    """How many statements a list of some studies takes."""
    for place in range(number):
        add(url, f"study{place}", [float(place)])
    counted: list[int] = []
    with looking.looked_at(parse(url)) as engine:
        assert engine is not None
        sqlalchemy.event.listen(engine, "before_cursor_execute", lambda *_: counted.append(1))
        assert len(rows(glance.glance(engine, KEYS), fail)) == number
    return len(counted)


def test_many_studies_take_no_more_statements_than_one(tmp_path: Path) -> None:
    few, many = (statements(f"sqlite:///{tmp_path / str(number)}.db", number) for number in (1, 7))
    assert few == many <= 6


def test_constraints_of_other_tools_are_heeded(url: str) -> None:
    study = optuna.create_study(study_name="other", storage=open_storage(url, create=True), direction="maximize")
    for value, broken in ((3.0, 1.0), (2.0, -1.0)):
        study.add_trial(create_trial(value=value, constraints={"size": broken}))
    study.add_trial(create_trial(value=9.0, system_attrs={"constraints": [0.0, 2.0]}))
    assert listed(url)["other"]["best"] == 2.0


def test_a_damaged_study_is_left_out_and_named(url: str) -> None:
    add(url, "whole", [1.0])
    add(url, "damaged", [1.0]).remember("lrsearch:definition", {"study": {"name": "damaged"}})
    named: dict[str, Exception] = {}
    found = overview(url, named.__setitem__)
    assert ([row["name"] for row in found], list(named)) == (["whole"], ["damaged"])


def test_the_tables_are_those_that_optuna_has(url: str) -> None:
    """They are named a second time; here is who notices when one of them changes."""
    assert tables.known_revisions()[0] == glance.REVISION
    add(url, "one", [1.0])
    engine = sqlalchemy.create_engine(parse(url))
    assert glance.is_known(engine)
    for name, columns in glance.KNOWN.items():
        assert set(columns) <= {column["name"] for column in sqlalchemy.inspect(engine).get_columns(name)}
    engine.dispose()


def test_no_database_is_no_study(url: str) -> None:
    assert listed(url) == {}
