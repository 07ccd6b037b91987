"""What every reader promises: both ways of reading answer alike on every database, and wait for it by themselves."""

from __future__ import annotations

import inspect
import math
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy
from databases import close, fresh_database
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event

from lrsearch.storage import choice, retry, schema_check
from lrsearch.storage.attributes import DEFINITION, EXCLUDED, ORIGIN, STOPPED
from lrsearch.storage.choice import storage_reader, study_reader, trial_store
from lrsearch.storage.counts import engine_of
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage, parse
from lrsearch.storage.reader import StorageReader, StudyReader
from lrsearch.storage.retry import Patience, StorageFailedError
from lrsearch.storage.store import Chosen, TrialEnd

KINDS = {"lr": FloatDistribution(1e-4, 1.0, log=True), "scheduler": CategoricalDistribution(["a", "b"])}


def methods(protocol: type) -> list[str]:
    """All that a protocol asks for, so that a new method is tested whether or not anybody thinks of it."""
    return sorted(name for name, _ in inspect.getmembers(protocol, inspect.isfunction) if not name.startswith("_"))


OF_STORAGE, OF_STUDY = methods(StorageReader), methods(StudyReader)
ARGUMENTS: dict[str, Callable[[optuna.Study], dict[str, Any]]] = {
    "study": lambda study: {"name": study.study_name},
    "best_value": lambda _: {"excluded": [1], "maximise": False},
    "past_trials": lambda study: {"first_id": study.get_trials(deepcopy=False)[2]._trial_id},
    "settings": lambda study: {"trial_ids": [trial._trial_id for trial in study.get_trials(deepcopy=False)]},
    "rung_trials": lambda study: {"rungs": [1, 2], "first_id": study.get_trials(deepcopy=False)[1]._trial_id},
    "stale": lambda _: {"grace": 60.0},
    "others_succeed": lambda _: {"worker": Worker.this().as_dict()},
}
"""Of the methods that take any."""


def lived(storage: BaseStorage) -> optuna.Study:
    """A study with a trial of every kind, beside another one and its confirmation."""
    study = optuna.create_study(storage=storage, study_name="s")
    for key, value in {DEFINITION: {"a": 1}, STOPPED: True, EXCLUDED: {"3": "wrong"}}.items():
        study.set_user_attr(key, value)
    beside = optuna.create_study(storage=storage, study_name="s/confirm")
    beside.set_user_attr(ORIGIN, {"study": "s", "role": "confirm"})
    beside.add_trial(optuna.trial.create_trial(value=-100.0))
    store = trial_store(study, storage)
    assert store.enqueue([{"lr": 0.5}], there=0)
    claims = store.claim(7, 7, Worker.this().as_dict())
    store.choose({own.trial_id: Chosen({"lr": 0.1, "scheduler": "ab"[own.number % 2]}, KINDS) for own in claims[:5]})
    store.record({own.trial_id: {1: 0.5 + own.number, 2: math.nan, 3: math.inf} for own in claims[:6]})
    ids = [claim.trial_id for claim in claims]
    store.finish(
        [
            TrialEnd(ids[0], TrialState.COMPLETE, 3.0),
            TrialEnd(ids[1], TrialState.COMPLETE, 1.0),
            TrialEnd(ids[2], TrialState.COMPLETE, 0.5, {"curve": [1.0, None]}, {"diverged": 1.0}),
            TrialEnd(ids[3], TrialState.PRUNED, 0.25),
            TrialEnd(ids[4], TrialState.COMPLETE, -math.inf),
            TrialEnd(ids[5], TrialState.FAIL, None, {"error": "a reason"}),
        ]
    )
    store.hand_back([ids[6]], "for a test")
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    store.claim(1, 8, {**Worker.this().as_dict(), "pid": gone.pid})
    store.claim(1, 8, Worker.this().as_dict())
    return study


@pytest.fixture(scope="module", params=["sqlite", "postgres", "mysql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[optuna.Study]:
    """The study; nothing of it changes."""
    with fresh_database(request.param, tmp_path_factory.mktemp("reader")) as url:
        storage = open_storage(url, create=True)
        yield lived(storage)
        close(storage)


@contextmanager
def tables(known: bool) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if not known:
            patch.setattr(schema_check, "tables_are_known", lambda: "broken for this test")
        yield


def question(study: optuna.Study, method: str, patience: Patience, *, known: bool) -> Callable[[], str]:
    """Asks one of a reader's methods; the answer is text, in which a NaN equals another one."""
    arguments = ARGUMENTS.get(method, lambda _: {})(study)
    with tables(known):
        if method in OF_STORAGE:
            reader: object = storage_reader(study._storage, patience)
        else:
            reader = study_reader(study, study._storage, patience)
    return lambda: shown(getattr(reader, method)(**arguments))


def shown(answer: Any) -> str:
    if isinstance(answer, optuna.Study):
        return f"{answer.study_name} {answer._study_id}"
    if isinstance(answer, list) and answer and isinstance(answer[0], FrozenTrial):
        return repr([{key: ordered(part) for key, part in vars(trial).items()} for trial in answer])
    return repr({key: ordered(part) for key, part in answer.items()} if isinstance(answer, dict) else answer)


def ordered(part: Any) -> Any:
    """PostgreSQL gives attributes and parameters in any order."""
    return sorted(part.items()) if isinstance(part, dict) else part


def never(_: str) -> None:
    raise AssertionError("there was nothing to wait for")


@pytest.mark.parametrize("method", [*OF_STORAGE, *OF_STUDY])
def test_both_ways_of_reading_answer_alike(place: optuna.Study, method: str) -> None:
    fast, slow = (question(place, method, Patience(never), known=known)() for known in (True, False))
    assert fast == slow
    assert fast not in ("[]", "{}")


def test_they_answer_what_is_there(place: optuna.Study) -> None:
    reader = study_reader(place, place._storage)
    assert vars(reader.tally()) == {
        "complete": 4, "pruned": 1, "failed": 1, "retried": 1, "running": 2, "waiting": 0, "diverged": 1,
    }  # fmt: skip
    assert reader.best_value([], maximise=False) == 1.0
    assert reader.best_value([1], maximise=False) == 3.0
    assert reader.best_value([0, 1], maximise=True) is None
    assert (reader.running(), reader.stale(60.0)) == ([7, 8], [7])
    there = storage_reader(place._storage).listed()
    assert [(own.name, own.stopped, own.origin) for own in there] == [("s", True, None), ("s/confirm", False, "s")]


Ended = Callable[[Any], None]


@pytest.fixture(scope="module", params=["postgres", "mysql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[optuna.Study, Ended]]:
    """The study on a server, and what ends a connection there, with the wait for its end."""
    with fresh_database(request.param, tmp_path_factory.mktemp("server")) as url:
        storage = open_storage(url, create=True)
        admin = sqlalchemy.create_engine(parse(url), isolation_level="AUTOCOMMIT")

        def end(connection: Any) -> None:
            with admin.connect() as other:
                if request.param == "postgres":
                    other.exec_driver_sql(f"SELECT pg_terminate_backend({connection.info.backend_pid}, 10000)")
                else:
                    other.exec_driver_sql(f"KILL CONNECTION {connection.thread_id()}")

        yield lived(storage), end
        admin.dispose()
        close(storage)


@pytest.mark.parametrize("known", [True, False], ids=["sql", "api"])
@pytest.mark.parametrize("method", [*OF_STORAGE, *OF_STUDY])
def test_a_connection_that_ends_in_the_middle_costs_no_answer(
    server: tuple[optuna.Study, Ended], method: str, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended before each first statement, after the pool has looked whether it lives."""
    monkeypatch.setattr(retry.time, "sleep", lambda _: None)
    study, end = server
    engine = engine_of(study._storage)
    assert engine is not None
    expected = question(study, method, Patience(never), known=known)()
    said: list[str] = []
    ended: list[Any] = []
    patience = Patience(said.append)
    ask = question(study, method, patience, known=known)

    def end_once(_: object, cursor: Any, *__: object) -> None:
        if not ended:
            ended.append(cursor.connection)
            end(cursor.connection)

    event.listen(engine, "before_cursor_execute", end_once)
    try:
        assert ask() == expected
    finally:
        event.remove(engine, "before_cursor_execute", end_once)
    # Only MySQL and MariaDB have to be asked how long a curve may be.
    assert ended or (method == "longest_curve" and engine.dialect.name == "postgresql")
    assert patience.waits == len(ended)
    assert [text.split(" (")[0] for text in said] == ["The storage is out of reach"] * len(ended)


def test_what_does_not_pass_is_said_in_the_words_of_reading(tmp_path: Path) -> None:
    storage = open_storage(f"sqlite:///{tmp_path}/s.db", create=True)
    study = optuna.create_study(storage=storage)
    engine = engine_of(storage)
    assert engine is not None
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE trial_system_attributes")
    with pytest.raises(StorageFailedError, match="the storage cannot be read: no such table"):
        study_reader(study, storage).tally()
    close(storage)


@pytest.mark.parametrize("known", [True, False], ids=["sql", "api"])
def test_a_study_that_was_deleted_is_a_key_error(tmp_path: Path, known: bool) -> None:
    """A worker takes it from that."""
    storage = open_storage(f"sqlite:///{tmp_path}/s.db", create=True)
    study = optuna.create_study(storage=storage, study_name="s")
    with tables(known):
        reader, there = study_reader(study, storage), storage_reader(storage)
    optuna.delete_study(study_name="s", storage=storage)
    with pytest.raises(KeyError):
        reader.attributes()
    with pytest.raises(KeyError):
        there.study("s")
    assert there.listed() == []
    close(storage)


def test_one_place_asks_whether_the_tables_are_known() -> None:
    package = Path(choice.__file__).parent.parent
    asking = {file.stem for file in package.rglob("*.py") if "tables_are_known" in file.read_text(encoding="utf-8")}
    assert asking == {"choice", "schema_check"}


def test_nobody_reads_a_study_past_its_reader() -> None:
    """Whoever did would not wait in an outage. An Optuna pruner is handed Optuna's study, and nothing else."""
    package = Path(choice.__file__).parent.parent
    past = re.compile(r"\bstudy\.(user_attrs|system_attrs|get_trials|best_trial|best_value|best_params)\b")
    files = [file for file in package.rglob("*.py") if file.parent.name != "storage"]
    assert sorted(file.name for file in files if past.search(file.read_text(encoding="utf-8"))) == [
        "confirm_objective.py",  # Optuna's study and its trials, for an objective of hers
        "stratified.py",
    ]
