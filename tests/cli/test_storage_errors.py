"""What a storage refuses is one line, whichever command meets it, and what is lost with its file is said."""

from __future__ import annotations

import gc
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy
from databases import close
from sqlalchemy.engine import make_url

from lrsearch import registry
from lrsearch.errors import DeletedStudyError, InputError
from lrsearch.search.events import TrialEnded
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.address import keeps_nothing
from lrsearch.storage.files import ReplacedFileError
from lrsearch.storage.rdb import open_storage, parse
from lrsearch.study import control
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition
from lrsearch.training.engine import SequentialEngine

Define = Callable[..., Definition]
Run = Callable[..., subprocess.CompletedProcess[str]]
SMALL = '[study]\nname = "{}"\ntrials = 2\n[task]\nname = "polynomial"\nrows = 60\n[training]\nepochs = 1\n'


@pytest.fixture(autouse=True)
def _connections_end_here() -> Iterator[None]:
    """A command that ends in an error leaves its connections to the end of its process: no later test sees them."""
    yield
    gc.collect()


@pytest.fixture
def reader_url(database_url: str) -> Iterator[str]:
    """The same database for a role that may only read."""
    url, name = parse(database_url), f"reader_{uuid.uuid4().hex[:8]}"
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    is_postgres = url.get_backend_name() == "postgresql"
    make, drop = (
        ([f"CREATE ROLE {name} LOGIN", f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"],
         [f"DROP OWNED BY {name}", f"DROP ROLE {name}"])
        if is_postgres
        else ([f"CREATE USER {name}@'127.0.0.1'", f"GRANT SELECT ON {url.database}.* TO {name}@'127.0.0.1'"],
              [f"DROP USER {name}@'127.0.0.1'"])
    )  # fmt: skip
    with engine.connect() as connection:
        for statement in make:
            connection.exec_driver_sql(statement)
    yield make_url(database_url).set(username=name, password=None).render_as_string(hide_password=False)
    with engine.connect() as connection:
        for statement in drop:
            connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.mark.parametrize("database_url", ["postgres", "mysql"], indirect=True)
def test_a_role_that_may_only_read_is_told_so_by_every_command(
    database_url: str, reader_url: str, here: Run, tmp_path: Path, define: Define
) -> None:
    storage = open_storage(database_url)
    studies.create(storage, define(study={"name": "there", "trials": 2}), "mse")
    close(storage)
    (tmp_path / "new.toml").write_text(SMALL.format("new"))
    for words in (
        ["study", "create", "new.toml"], ["study", "run", "new.toml"], ["study", "run", "there", "--trials", "5"],
        ["study", "stop", "there"], ["study", "delete", "there", "--yes"], ["worker", "--exit-when-idle"],
    ):  # fmt: skip
        done = here(*words, "--storage", reader_url)
        assert done.returncode == 1, (words, done.stderr)
        assert "denied" in done.stderr.splitlines()[-1], (words, done.stderr)
        assert "Traceback" not in done.stderr
    shown = here("study", "show", "there", "--storage", reader_url)
    assert shown.returncode == 0, shown.stderr
    gc.collect()


def test_a_study_that_is_deleted_while_it_is_trained_is_one_error(database_url: str, define: Define) -> None:
    storage = open_storage(database_url)
    definition = define(study={"name": "gone", "trials": 5}, training={"epochs": 1})
    stored = studies.create(storage, definition, "mse")
    task = registry.tasks.get("polynomial").build(definition.task.options)
    events = Runner(stored, task, SequentialEngine(), Interruption()).events()
    next(event for event in events if isinstance(event, TrialEnded))
    control.delete(studies.load(storage, "gone"))
    with pytest.raises(DeletedStudyError, match=r"^the study was deleted while it was in use$"):
        list(events)
    close(storage)


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_a_file_that_goes_while_it_is_in_use_is_noticed(tmp_path: Path, define: Define, replaced: bool) -> None:
    """By who trains and by who only looks; nothing is left in its place that looks like a storage."""
    file = tmp_path / "s.db"
    storage = open_storage(f"sqlite:///{file}", create=True)
    definition = define(study={"name": "s", "trials": 5}, training={"epochs": 1})
    stored = studies.create(storage, definition, "mse")
    task = registry.tasks.get("polynomial").build(definition.task.options)
    events = Runner(stored, task, SequentialEngine(), Interruption()).events()
    next(events)
    file.rename(tmp_path / "moved.db")
    if replaced:
        file.write_bytes((tmp_path / "moved.db").read_bytes())
    with pytest.raises(ReplacedFileError, match="replaced" if replaced else "removed"):
        list(events)
    with pytest.raises(ReplacedFileError):
        studies.names(storage)
    assert file.exists() == replaced


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (":memory:", "is not a database URL"),
        ("lrsearch.db", "did you mean sqlite:///lrsearch.db"),
        ("postgresql://me@host:54x2/db", "port"),
        ("postgresql://me@host:99999/db", "port must be from 1 to 65535"),
        ("postgresql+psycopg2://me@host/db", "write postgresql://..."),
        ("mysql+mysqldb://me@host/db", "write mysql://..."),
        ("postgresql+asyncpg://me@host/db", "write postgresql://..."),
        ("oracle://me@host/db", "unknown kind of database"),
        ("me:hidden@host/db", "is not a database URL"),
    ],
)
def test_addresses_are_refused_with_what_to_write_instead(url: str, said: str) -> None:
    with pytest.raises(InputError, match="--storage") as caught:
        open_storage(url)
    assert said in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_no_command_takes_a_storage_that_keeps_nothing(here: Run, tmp_path: Path, url: str) -> None:
    assert keeps_nothing(parse(url))
    (tmp_path / "new.toml").write_text(SMALL.format("new"))
    done = here("study", "create", "new.toml", "--storage", url)
    assert (done.returncode, "in memory and gone" in done.stderr) == (2, True)
