"""One row that somebody else wrote, or cut short, is named; its neighbours are shown as ever."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from subprocess import CompletedProcess
from typing import Any

import pytest
import sqlalchemy
from databases import KINDS, close, fresh_database

from lrsearch.storage import tables
from lrsearch.storage.attributes import DEFINITION, EXCLUDED
from lrsearch.storage.rdb import open_storage, parse
from lrsearch.study import stored as studies
from lrsearch.study_file import load
from lrsearch.study_file.model import Definition

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


@pytest.fixture(scope="module", params=KINDS)
def two_studies(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a database with a sound study and one that a test breaks, and mends again."""
    with fresh_database(request.param, tmp_path_factory.mktemp("broken")) as url:
        storage = open_storage(url, create=True)
        for name in ("sound", "broken"):
            stored = studies.create(storage, definition(name), "mse")
            for _ in range(2):
                trial = stored.study.ask()
                trial.suggest_float("lr", 1e-3, 0.1)
                trial.suggest_categorical("scheduler", ["constant", "lambda"])
                trial.set_user_attr("engine", "sequential")
                stored.study.tell(trial, 1.0)
        close(storage)
        yield url
        gc.collect()


def definition(name: str) -> Definition:
    document = {"study": {"name": name, "trials": 4}, "task": {"name": "polynomial"}, "confirm": {"top": 0}}
    return load.parse(document, "test")


@contextmanager
def changed(url: str, table: sqlalchemy.Table, values: dict[str, Any], *where: Any) -> Iterator[None]:
    """Within the block the first row that there is has other values."""
    engine, key = sqlalchemy.create_engine(parse(url)), next(iter(table.primary_key.columns))
    with engine.begin() as connection:
        there = connection.execute(table.select().where(*where).order_by(key)).mappings().first()
        assert there is not None
        own = key == there[key.name]
        assert connection.execute(table.update().where(own).values(**values)).rowcount == 1
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(table.update().where(own).values(**{name: there[name] for name in values}))
        engine.dispose()


def _study_id(name: str) -> Any:
    return sqlalchemy.select(tables.STUDIES.c.study_id).where(tables.STUDIES.c.study_name == name).scalar_subquery()


@pytest.mark.parametrize("kind", BROKEN_TRIALS)
def test_a_broken_trial_counts_as_failed_and_is_named(two_studies: str, here: Lrsearch, kind: str) -> None:
    """Whatever of it is broken, every command that shows trials shows the others."""
    name, values = BROKEN_TRIALS[kind]
    table: sqlalchemy.Table = getattr(tables, name)
    rows = tables.TRIALS.c.study_id == _study_id("broken")
    first = sqlalchemy.select(sqlalchemy.func.min(tables.TRIALS.c.trial_id)).where(rows).scalar_subquery()
    with changed(two_studies, table, values, table.c.trial_id == first):
        listed = here("trial", "list", "broken", "--format", "json", "--storage", two_studies)
        assert listed.returncode == 0, listed.stderr
        assert [trial["state"] for trial in json.loads(listed.stdout)] == ["failed", "complete"]
        assert "trial 0" in listed.stderr
        for command in (["study", "list"], ["study", "show", "broken"], ["study", "show", "sound"]):
            shown = here(*command, "--storage", two_studies)
            assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize("kind", BROKEN_STUDIES)
def test_a_broken_study_hides_no_other(two_studies: str, here: Lrsearch, kind: str) -> None:
    """The list names it and shows the others; it ends a command of its own with one message."""
    own = (tables.STUDY_USER.c.study_id == _study_id("broken"), tables.STUDY_USER.c.key == DEFINITION)
    with changed(two_studies, tables.STUDY_USER, {"value_json": BROKEN_STUDIES[kind]}, *own):
        listed = here("study", "list", "--format", "json", "--storage", two_studies)
        assert [study["name"] for study in json.loads(listed.stdout)] == ["sound"], listed.stderr
        assert "broken" in listed.stderr
        assert here("study", "show", "sound", "--storage", two_studies).returncode == 0
        shown = here("study", "show", "broken", "--storage", two_studies)
        assert (shown.returncode, "broken" in shown.stderr) == (2, True)


def test_a_broken_exclusion_excludes_nothing(two_studies: str, here: Lrsearch) -> None:
    """Of an attribute that is of the wrong kind, nothing is taken."""
    storage = open_storage(two_studies)
    stored = studies.load(storage, "broken")
    stored.study.set_user_attr(EXCLUDED, [1])
    for command in (["study", "list"], ["study", "show", "broken"]):
        shown = here(*command, "--storage", two_studies)
        assert shown.returncode == 0, shown.stderr
    stored.study.set_user_attr(EXCLUDED, {})
    close(storage)
