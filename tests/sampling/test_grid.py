"""The grid: every cell once, per scheduler type, also with several processes' worth of interruptions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from optuna.trial import TrialState

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.sampling import grid
from lrsearch.sampling.space import Space
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import budget, status
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition
from lrsearch.training.engine import SequentialEngine

SEARCH = {
    "lr": {"choices": [0.03, 0.01]},
    "schedulers": ["constant", "lambda", "plateau"],
    "lambda": {"decay": {"low": 0.9, "high": 0.98, "steps": 3}},
    "plateau": {"factor": 0.5, "patience": {"low": 1, "high": 3, "steps": 5}, "threshold": 0.01},
}


@pytest.fixture
def definition(define: Callable[..., Definition]) -> Definition:
    return define(study={"name": "grid"}, search=SEARCH, sampler={"name": "grid"})


def run(stored: StoredStudy) -> None:
    assert stored.definition is not None
    task = registry.tasks.get("polynomial").build(stored.definition.task.options)
    list(Runner(stored, task, SequentialEngine(), Interruption()).events())


def test_cells_are_all_combinations_of_each_type(definition: Definition) -> None:
    cells = [tuple(cell.items()) for cell in grid.cells(Space.of(definition))]
    expected = [(("lr", lr), ("scheduler", "constant")) for lr in (0.03, 0.01)]
    expected += [
        (("lr", lr), ("scheduler", "lambda"), ("decay", decay)) for lr in (0.03, 0.01) for decay in (0.9, 0.94, 0.98)
    ]  # fmt: skip
    expected += [
        (("lr", lr), ("scheduler", "plateau"), ("plateau.factor", 0.5), ("plateau.patience", patience),
         ("plateau.threshold", 0.01))
        for lr, patience in product((0.03, 0.01), (1, 2, 3))
    ]  # fmt: skip
    assert cells == expected
    assert definition.trials == grid.size(Space.of(definition)) == 14
    assert definition.pruner.name == "none"


def test_every_cell_is_trained_once_also_after_interruptions(definition: Definition, tmp_path: Path) -> None:
    storage = open_storage(f"sqlite:///{tmp_path}/g.db", create=True)
    stored = studies.create(storage, definition, "mse")
    assert stored.definition is not None
    task = registry.tasks.get("polynomial").build(stored.definition.task.options)
    for taken in (3, 2):
        events = Runner(studies.load(storage, "grid"), task, SequentialEngine(), Interruption()).events()
        for _ in range(taken * 5):
            next(events)
        events.close()  # type: ignore[attr-defined]
    run(studies.load(storage, "grid"))
    complete = [trial.params for trial in stored.trials() if trial.state == TrialState.COMPLETE]
    expected = list(grid.cells(Space.of(definition)))
    assert sorted(complete, key=str) == sorted(expected, key=str)
    assert status.count(stored).retried == 2


def test_a_smaller_grid_study_can_grow_to_its_cells_and_no_further(
    define: Callable[..., Definition], tmp_path: Path
) -> None:
    definition = define(study={"name": "grid", "trials": 4}, search=SEARCH, sampler={"name": "grid"})
    stored = studies.create(open_storage(f"sqlite:///{tmp_path}/g.db", create=True), definition, "mse")
    run(stored)
    stored = budget.set_budget(stored, 7)
    run(stored)
    assert status.count(stored).complete == 7
    assert [trial.params for trial in stored.trials()] == list(grid.cells(Space.of(definition)))[:7]
    with pytest.raises(InputError, match="the grid has only 14 cells"):
        budget.set_budget(stored, 15)


def test_growth_that_is_ended_in_the_middle_is_finished_by_the_next(
    define: Callable[..., Definition], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = define(study={"name": "grid", "trials": 4}, search=SEARCH, sampler={"name": "grid"})
    stored = studies.create(open_storage(f"sqlite:///{tmp_path}/g.db", create=True), definition, "mse")

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(budget, "redefine", ended)
        with pytest.raises(KeyboardInterrupt):
            budget.set_budget(stored, 7)
    budget.set_budget(stored, 7)
    waiting = [trial.system_attrs["fixed_params"] for trial in stored.trials()]
    assert waiting == list(grid.cells(Space.of(definition)))[:7]


def test_ranges_need_steps(define: Callable[..., Definition]) -> None:
    with pytest.raises(InputError) as caught:
        define(search={"schedulers": ["lambda", "exponential"]}, sampler={"name": "grid"}, study={"name": "g"})
    assert [fault.key for fault in caught.value.faults] == [
        "search.lr", "search.lambda.decay", "search.exponential.decades",
    ]  # fmt: skip
    assert "steps" in str(caught.value)
