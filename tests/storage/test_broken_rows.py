"""One row that somebody else wrote, or cut short, is named; its neighbours are shown as ever."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from subprocess import CompletedProcess
from typing import Any

import pytest
import sqlalchemy
from databases import close

from lrsearch.storage import tables
from lrsearch.storage.attributes import DEFINITION, EXCLUDED
from lrsearch.storage.rdb import open_storage, parse
from lrsearch.study import stored as studies

ONE_CHOICE = '{"name": "CategoricalDistribution", "attributes": {"choices": ["a"]}}'
BROKEN_TRIALS: dict[str, tuple[str, dict[str, Any]]] = {
    "an attribute that was cut short": ("USER", {"value_json": '{"a": [1, 2'}),
    "an unknown distribution": ("PARAMS", {"distribution_json": '{"name": "Nonsense", "attributes": {}}'}),
    "no distribution": ("PARAMS", {"distribution_json": "[]"}),
    "a category out of range": (
        "PARAMS",
        {
            "distribution_json": '{"name": "CategoricalDistribution", "attributes": {"choices": ["a"]}}',
            "param_value": 7,
        },
    ),
}
BROKEN_STUDIES = {"cut short": '{"study": ', "a list": "[1, 2]", "null": "null", "a text": '"x"', "empty": "{}"}
# A command in this very process leaves its connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
Lrsearch = Callable[..., CompletedProcess[str]]


@pytest.fixture(autouse=True)
def _connections_end_here() -> Iterator[None]:
    """A command that ends in an error leaves its connections to the end of its process: no later test sees them."""
    yield
    gc.collect()


def _two_studies(url: str, define: Callable[..., Any]) -> None:
    storage = open_storage(url, create=True)
    for name in ("sound", "broken"):
        stored = studies.create(storage, define(study={"name": name, "trials": 4}), "mse")
        for _ in range(2):
            trial = stored.study.ask()
            trial.suggest_float("lr", 1e-3, 0.1)
            trial.suggest_categorical("scheduler", ["constant", "lambda"])
            trial.set_user_attr("engine", "sequential")
            stored.study.tell(trial, 1.0)
    close(storage)


def _change(url: str, statement: Any) -> None:
    engine = sqlalchemy.create_engine(parse(url))
    with engine.begin() as connection:
        assert connection.execute(statement).rowcount == 1
    engine.dispose()


def _study_id(name: str) -> Any:
    return sqlalchemy.select(tables.STUDIES.c.study_id).where(tables.STUDIES.c.study_name == name).scalar_subquery()


@pytest.mark.parametrize("kind", BROKEN_TRIALS)
def test_a_broken_trial_counts_as_failed_and_is_named(
    database_url: str, define: Callable[..., Any], here: Lrsearch, kind: str
) -> None:
    """Whatever of it is broken, every command that shows trials shows the others."""
    _two_studies(database_url, define)
    name, values = BROKEN_TRIALS[kind]
    table: sqlalchemy.Table = getattr(tables, name)
    rows = tables.TRIALS.c.study_id == _study_id("broken")
    first = sqlalchemy.select(sqlalchemy.func.min(tables.TRIALS.c.trial_id)).where(rows).scalar_subquery()
    engine = sqlalchemy.create_engine(parse(database_url))
    with engine.connect() as connection:
        key = next(iter(table.primary_key.columns))
        row = connection.execute(
            sqlalchemy.select(sqlalchemy.func.min(key)).where(table.c.trial_id == first)
        ).scalar_one()
    engine.dispose()
    _change(database_url, table.update().where(key == row).values(**values))
    listed = here("trial", "list", "broken", "--format", "json", "--storage", database_url)
    assert listed.returncode == 0, listed.stderr
    assert [trial["state"] for trial in json.loads(listed.stdout)] == ["failed", "complete"]
    assert "trial 0" in listed.stderr
    for command in (["study", "list"], ["study", "show", "broken"], ["study", "show", "sound"]):
        shown = here(*command, "--storage", database_url)
        assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize("kind", BROKEN_STUDIES)
def test_a_broken_study_hides_no_other(
    database_url: str, define: Callable[..., Any], here: Lrsearch, kind: str
) -> None:
    """The list names it and shows the others; it ends a command of its own with one message."""
    _two_studies(database_url, define)
    own = (tables.STUDY_USER.c.study_id == _study_id("broken"), tables.STUDY_USER.c.key == DEFINITION)
    _change(database_url, tables.STUDY_USER.update().where(*own).values(value_json=BROKEN_STUDIES[kind]))
    listed = here("study", "list", "--format", "json", "--storage", database_url)
    assert [study["name"] for study in json.loads(listed.stdout)] == ["sound"], listed.stderr
    assert "broken" in listed.stderr
    assert here("study", "show", "sound", "--storage", database_url).returncode == 0
    shown = here("study", "show", "broken", "--storage", database_url)
    assert (shown.returncode, "broken" in shown.stderr) == (2, True)


def test_a_broken_exclusion_excludes_nothing(database_url: str, define: Callable[..., Any], here: Lrsearch) -> None:
    """Of an attribute that is of the wrong kind, nothing is taken."""
    _two_studies(database_url, define)
    storage = open_storage(database_url)
    studies.load(storage, "broken").study.set_user_attr(EXCLUDED, [1])
    close(storage)
    for command in (["study", "list"], ["study", "show", "broken"]):
        shown = here(*command, "--storage", database_url)
        assert shown.returncode == 0, shown.stderr
