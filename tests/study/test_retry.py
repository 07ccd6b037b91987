"""Failed trials are run again: they move from failed to retried, and the budget is met in the end."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from databases import close
from optuna.trial import TrialState

from lrsearch.errors import InputError, LrsearchError
from lrsearch.operations.run import run
from lrsearch.operations.run_options import RunOptions
from lrsearch.storage.attributes import ERROR
from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import TrialEnd
from lrsearch.study import confirmation, control, status
from lrsearch.study import retry as retrying
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition

Define = Callable[..., Definition]
Run = Callable[..., subprocess.CompletedProcess[str]]
GRID = {"lr": {"choices": [0.001, 0.01, 0.1]}, "schedulers": ["constant", "lambda"], "lambda": {"decay": 0.9}}
OPTIONS = RunOptions(engine="sequential", workers=1)


def with_failures(url: str, definition: Definition, failing: int) -> StoredStudy:
    """A study of which the first trials failed, as on a broken machine."""
    stored = studies.create(open_storage(url, create=True), definition, "mse")
    store = trial_store(stored.study, stored.storage)
    claims = store.claim(failing, definition.trials, Worker.this().as_dict())
    store.finish([TrialEnd(claim.trial_id, TrialState.FAIL, None, {ERROR: "out of memory"}) for claim in claims])
    return stored


def test_counts_move_and_a_store_that_has_counted_before_counts_anew(database_url: str, define: Define) -> None:
    """A worker on another machine remembers what has ended, and must not take the failed ones for used budget."""
    stored = with_failures(database_url, define(study={"name": "s", "trials": 6}), 3)
    elsewhere = trial_store(stored.study, stored.storage)
    assert len(elsewhere.claim(1, 6, Worker.this().as_dict())) == 1
    assert retrying.retry(stored, [0, 2]) == [0, 2]
    counts = status.count(stored)
    assert (counts.failed, counts.retried, counts.waiting, counts.running) == (1, 2, 2, 1)
    assert len(elsewhere.claim(9, 6, Worker.this().as_dict())) == 4, "two that wait, and two new ones"
    with pytest.raises(InputError) as caught:
        retrying.retry(stored, [0, 1, 3, 99])
    assert [fault.received for fault in caught.value.faults] == ["0", "3", "99"]
    assert status.count(stored).retried == 2, "nothing was changed"
    close(stored.storage)


def test_a_grid_is_not_finished_while_a_cell_has_only_failed(database_url: str, define: Define) -> None:
    definition = define(study={"name": "s"}, search=GRID, sampler={"name": "grid"}, confirm={"top": 1, "seeds": 2})
    stored = with_failures(database_url, definition, 2)
    with pytest.raises(LrsearchError, match=r"2 of its 6 cells of the grid only failed \(trials 0, 1\).*trial retry"):
        run(stored, OPTIONS)
    assert not confirmation.is_wanted(stored)
    control.exclude(stored, 1, "not needed")
    assert retrying.retry(stored, [0]) == [0]
    run(stored, OPTIONS)
    counts = status.count(stored)
    assert (counts.complete, counts.failed, counts.retried, counts.budget) == (5, 1, 1, 6)
    assert studies.linked(stored, "confirm") is not None, "a cell that a person leaves out holds nobody up"
    close(stored.storage)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_so_are_settings_to_try(database_url: str, define: Define) -> None:
    stored = with_failures(database_url, define(**{"try": [{"lr": 0.01, "scheduler": "constant"}]}), 1)
    with pytest.raises(LrsearchError, match=r"settings of \[\[try\]\]"):
        run(stored, OPTIONS)
    close(stored.storage)


def test_the_command(here: Run, tmp_path: Path, define: Define) -> None:
    url = f"sqlite:///{tmp_path}/lrsearch.db"
    close(with_failures(url, define(study={"name": "s", "trials": 4}, training={"epochs": 1}), 3).storage)
    for wrong in (["trial", "retry", "s"], ["trial", "retry", "s", "1", "--failed"], ["trial", "retry", "s", "3"]):
        refused = here(*wrong)
        assert (refused.returncode, refused.stderr.count("Error: ")) == (2, 1), refused.stderr
    one = here("trial", "retry", "s", "1", "--format", "json")
    assert json.loads(one.stdout) == {"study": "s", "retried": [1]}
    rest = here("trial", "retry", "s", "--failed")
    assert "trials 0, 2 wait" in rest.stderr
    assert here("study", "run", "s", "--quiet", "--engine", "sequential").returncode == 0
    trials = json.loads(here("study", "show", "s", "--format", "json").stdout)["trials"]
    assert trials["complete"] + trials["pruned"] + trials["failed"] == trials["budget"] == 4
    assert (trials["failed"], trials["retried"]) == (0, 3)
    assert "Nothing to do" in here("trial", "retry", "s", "--failed").stderr
