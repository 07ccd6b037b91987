"""Whether a database may have changed: nothing that anybody writes is missed, and what only reads is no change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from databases import fresh_database
from optuna.storages import BaseStorage

from lrsearch.storage.changes import LONGEST, Changes
from lrsearch.storage.counts import engine_of

Open = Callable[[str], BaseStorage]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_database(request.param, tmp_path) as made:
        yield made


def quiet(seen: Changes) -> bool:
    """Whether there is nothing new at last: a server may clean up meanwhile."""
    return any(not seen.since(time.monotonic()) for _ in range(1000))


def test_whatever_somebody_else_writes_is_a_change(url: str, opened: Open) -> None:
    other, seen = opened(url), Changes(engine_of(opened(url)))
    writes: list[Callable[[], object]] = [
        lambda: optuna.create_study(study_name="one", storage=other),
        lambda: optuna.load_study(study_name="one", storage=other).set_user_attr("key", 1),
        lambda: optuna.load_study(study_name="one", storage=other).set_user_attr("key", 2),
        lambda: optuna.load_study(study_name="one", storage=other).ask(),
        lambda: optuna.load_study(study_name="one", storage=other).tell(0, 1.0),
        lambda: optuna.delete_study(study_name="one", storage=other),
    ]
    assert seen.since(time.monotonic()), "nobody has looked yet"
    for write in writes:
        assert quiet(seen)
        write()
        assert seen.since(time.monotonic())


def test_what_is_written_when_somebody_looks_is_a_change_once_it_is_there(url: str, opened: Open) -> None:
    other, seen = engine_of(opened(url)), Changes(engine_of(opened(url)))
    assert other is not None
    table = sqlalchemy.table("studies", sqlalchemy.column("study_name"))
    with other.begin() as connection:
        connection.execute(table.insert().values(study_name="late"))
        assert quiet(seen)
    assert seen.since(time.monotonic())


def test_reading_is_no_change(url: str, opened: Open) -> None:
    other, seen = opened(url), Changes(engine_of(opened(url)))
    optuna.create_study(study_name="one", storage=other)
    assert quiet(seen)
    assert optuna.load_study(study_name="one", storage=other).trials == []
    assert quiet(seen)


def test_after_a_while_there_may_always_be_one(url: str, opened: Open) -> None:
    seen = Changes(engine_of(opened(url)))
    assert quiet(seen)
    assert seen.since(time.monotonic() - LONGEST)
    assert seen.since(-float("inf"))


@pytest.mark.parametrize(
    "url", ["sqlite://", "mysql+pymysql://root@127.0.0.1:1/none", "postgresql+psycopg://a@[::1]:1/b"]
)
def test_where_it_cannot_be_told_there_may_always_be_one(url: str) -> None:
    """In memory, on a server that does not tell, on one that is away, and where there is no database."""
    for seen in (Changes(sqlalchemy.create_engine(url)), Changes(None)):
        assert [seen.since(time.monotonic()) for _ in range(3)] == [True] * 3
