"""A study is seen whole or not at all, whoever creates it at the same moment, and whoever is killed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import optuna
import pytest
from databases import close
from optuna.storages import BaseStorage

from lrsearch.errors import InputError
from lrsearch.storage import new_study, tables
from lrsearch.storage.attributes import DEFINITION, METRIC
from lrsearch.storage.new_study import NewStudy, StudyExistsError
from lrsearch.storage.rdb import open_storage
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition

Define = Callable[..., Definition]
Opened = Callable[[str], BaseStorage]
TRIED = {"try": [{"lr": 0.01, "scheduler": "constant"}]}


def test_the_same_file_started_on_four_machines_at_once_is_one_study(fresh_database_url: str, define: Define) -> None:
    """In a database that has no tables yet, three times in a row; each finds the whole study, none an error."""
    close(open_storage(fresh_database_url, create=True))
    for round_ in range(3):
        barrier = Barrier(4)

        def start(_: int, name: str = f"study {round_}", barrier: Barrier = barrier) -> tuple[Any, int]:
            definition = define(study={"name": name, "trials": 6}, **TRIED)
            barrier.wait()
            stored = opening.create_or_load(definition, fresh_database_url, "file")
            try:
                return stored.definition, len(stored.trials())
            finally:
                close(stored.storage)

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(start, range(4)))
        assert [trials for _, trials in found] == [1] * 4
        assert all(definition == found[0][0] for definition, _ in found)


def test_a_creation_that_is_ended_leaves_nothing(
    database_url: str, opened: Opened, define: Define, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = opened(database_url)

    def ended(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tables, "add_trials", ended)
        with pytest.raises(KeyboardInterrupt):
            studies.create(storage, define(**TRIED), "mse")
    assert studies.names(storage) == []
    studies.create(storage, define(**TRIED), "mse")


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_what_an_earlier_version_left_half_made_is_finished(
    database_url: str, opened: Opened, define: Define, steps: int
) -> None:
    """It was created in steps, and may have been killed after any of them."""
    storage = opened(database_url)
    study = optuna.create_study(storage=storage, study_name="small")
    if steps > 0:
        study.set_metric_names(["test mse"])
    if steps > 1:
        study.enqueue_trial({"lr": 0.3, "scheduler": "lambda"})
    if steps > 2:
        study.set_user_attr(METRIC, "mse")
    stored = opening.create_or_load(define(**TRIED), database_url, "file")
    assert stored.definition is not None
    assert [trial.system_attrs["fixed_params"] for trial in stored.trials()] == [{"lr": 0.01, "scheduler": "constant"}]
    close(stored.storage)


def test_a_study_of_another_tool_stays_as_it_is(
    database_url: str, opened: Opened, define: Define, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = opened(database_url)
    study = optuna.create_study(storage=storage, study_name="small")
    study.add_trial(optuna.trial.create_trial(value=1.0))
    with pytest.raises(StudyExistsError):
        studies.create(storage, define(), "mse")
    monkeypatch.setattr(opening, "open_storage", lambda *_, **__: storage)
    with pytest.raises(InputError, match="that lrsearch did not create"):
        opening.create_or_load(define(), database_url, "file")
    assert len(study.trials) == 1
    assert DEFINITION not in study.user_attrs


def test_two_names_that_a_database_takes_for_one_are_refused_with_the_others(
    database_url: str, opened: Opened, define: Define
) -> None:
    """MariaDB makes no difference between cases and accents; the others keep both."""
    storage = opened(database_url)
    studies.create(storage, define(study={"name": "lr-e", "trials": 1}), "mse")
    for twin in ("Lr-e", "lr-é"):
        if storage._backend.engine.dialect.name in ("mysql", "mariadb"):  # type: ignore[attr-defined]
            with pytest.raises(StudyExistsError, match='takes it for the name of study "lr-e"'):
                studies.create(storage, define(study={"name": twin, "trials": 1}), "mse")
        else:
            studies.create(storage, define(study={"name": twin, "trials": 1}), "mse")
            assert studies.load(storage, twin).name == twin


def test_through_the_public_api_a_study_is_the_same(define: Define) -> None:
    storage = optuna.storages.InMemoryStorage()
    user = {METRIC: "mse", DEFINITION: define().document()}
    new = NewStudy("small", user, waiting=[{"lr": 0.01}], metrics=["test mse"])
    new_study.create(storage, new)
    study = optuna.load_study(study_name="small", storage=storage)
    assert (study.user_attrs, study.metric_names, len(study.trials)) == (user, ["test mse"], 1)
    with pytest.raises(StudyExistsError):
        new_study.create(storage, new)
