"""Long curves are kept on every kind of database, and refused before training where they would not be."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
from databases import close, fresh_database
from hypothesis import given
from hypothesis import strategies as st
from optuna.storages import BaseStorage
from optuna.trial import TrialState
from sqlalchemy.exc import DataError

from lrsearch.errors import InputError
from lrsearch.storage import rdb
from lrsearch.storage.attributes import TRAIN_CURVE
from lrsearch.storage.capacity import NUMBER_BYTES, longest_curve
from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import TrialEnd
from lrsearch.storage.upgrade import upgrade
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study_file.model import Definition

LONGEST_NUMBER = -2.2250738585072014e-308
CREATE = "import sys, optuna; optuna.create_study(study_name='theirs', storage=sys.argv[1]).set_user_attr('a', 'b')"


@pytest.fixture
def made_by_optuna(tmp_path: Path) -> Iterator[str]:
    """The URL of a MariaDB whose tables Optuna made, in a process that lrsearch is not in."""
    with fresh_database("mysql", tmp_path) as url:
        full = rdb.parse(url).render_as_string(hide_password=False)
        subprocess.run([sys.executable, "-c", CREATE, full], check=True, capture_output=True)
        yield url


def write_curve(storage: BaseStorage, epochs: int) -> optuna.Study:
    """A study, with one trial that has a training curve of that many numbers, each as long as can be."""
    study = optuna.create_study(study_name=f"of_{epochs}", storage=storage)
    store = trial_store(study, storage)
    [claim] = store.claim(1, 1, Worker.this().as_dict())
    store.finish([TrialEnd(claim.trial_id, TrialState.COMPLETE, 1.0, attributes={TRAIN_CURVE: curve_of(epochs)})])
    return study


def curve_of(epochs: int) -> list[float]:
    return [LONGEST_NUMBER] * epochs


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_is_longer(number: float) -> None:
    assert len(json.dumps([number, number])) <= 2 * NUMBER_BYTES


def test_a_curve_of_many_epochs_is_kept(database_url: str, opened: Callable[[str], BaseStorage]) -> None:
    storage = opened(database_url)
    assert longest_curve(storage) is None
    study = write_curve(storage, 20_000)
    assert study.trials[0].user_attrs[TRAIN_CURVE] == curve_of(20_000)
    assert not upgrade(database_url).is_done


def test_tables_that_optuna_made_keep_as_much_as_is_said(made_by_optuna: str) -> None:
    storage = open_storage(made_by_optuna)
    longest = longest_curve(storage)
    assert longest is not None
    assert write_curve(storage, longest).trials[0].user_attrs[TRAIN_CURVE] == curve_of(longest)
    with pytest.raises(DataError, match="too long"):
        write_curve(storage, longest + 1)
    close(storage)


def test_longer_studies_are_refused_until_there_is_room(made_by_optuna: str, define: Callable[..., Definition]) -> None:
    fits, longer, twice = (
        define(study={"name": name, "trials": 2}, task={"name": task}, training={"epochs": epochs})
        for name, task, epochs in (
            ("fits", "polynomial", 2520),
            ("longer", "polynomial", 2521),
            ("twice", "digits", 1261),
        )
    )
    close(opening.create(fits, made_by_optuna).storage)
    for definition, received, most in ((longer, "2521", "a curve of so many"), (twice, "1261", "2 curves")):
        with pytest.raises(InputError) as refused:
            opening.create(definition, made_by_optuna)
        said = str(refused.value)
        assert all(words in said for words in ("training.epochs", received, most, "lrsearch storage upgrade")), said
    done = upgrade(made_by_optuna)
    assert (done.is_widened, done.is_migrated) == (True, False)
    assert not upgrade(made_by_optuna).is_done
    stored = opening.create(longer, made_by_optuna)
    assert {"theirs", "fits", "longer"} == set(studies.names(stored.storage))
    assert optuna.load_study(study_name="theirs", storage=stored.storage).user_attrs == {"a": "b"}
    close(stored.storage)
