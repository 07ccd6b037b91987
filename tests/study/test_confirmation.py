"""Confirmation: which settings are trained again, on which seeds, and on which rows they are judged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from databases import close
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrsearch.errors import InputError
from lrsearch.sampling.space import settings_from
from lrsearch.search.events import TrialEnded
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.attributes import (
    BEFORE,
    BLOCK_VALUES,
    BLOCKS_BEFORE,
    CONSTANT_PREDICTION,
    CONSTRAINT,
    DATA,
    FINALISTS,
    METRIC,
    ORIGIN,
    PLAN,
    RETRIED,
    VERSION,
)
from lrsearch.storage.rdb import open_storage
from lrsearch.study import budget, confirmation, control, ladder, recommendation, rounds
from lrsearch.study import linked as links
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study.confirmed_runs import confirmation_of, gather
from lrsearch.study.evidence import Evidence
from lrsearch.study.finalists import Finalist, finalists
from lrsearch.study.plan import Plan
from lrsearch.study.repeat import repeatable
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition
from lrsearch.tasks.data import count
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.definition import parse
from lrsearch.training.engine import Engine, SequentialEngine
from lrsearch.training.evaluation import evaluate
from lrsearch.training.loop import start, train

Define = Callable[..., Definition]
TYPES = ("constant", "lambda", "plateau")
WORKERS = 6
ENGINES = (SequentialEngine(), BatchedEngine())


@pytest.fixture
def storage(tmp_path: Path) -> BaseStorage:
    return open_storage(f"sqlite:///{tmp_path}/test.db", create=True)


@pytest.fixture
def no_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the finalists that the search names: the ladder has tests of its own."""
    monkeypatch.setattr(ladder, "rates", lambda *_: [])
    monkeypatch.setattr(ladder, "extension", lambda *_: [])


def ended(value: float, scheduler: str = "constant", lr: float = 0.01, **params: float) -> FrozenTrial:
    own = {"lr": lr, "scheduler": scheduler, **params}
    kinds = {name: FloatDistribution(0, 1e9) for name in own} | {"scheduler": CategoricalDistribution(TYPES)}
    return create_trial(value=value, params=own, distributions=kinds)


def searched(storage: BaseStorage, definition: Definition, *trials: FrozenTrial) -> StoredStudy:
    """A study whose search came to these trials."""
    stored = studies.create(storage, definition, "mse")
    stored.study.add_trials(trials)
    return stored


def confirmed(
    stored: StoredStudy, engine: Engine = ENGINES[0], top: int | None = None, seeds: int | None = None
) -> StoredStudy:
    linked = confirmation.prepare(stored, top, seeds)
    go_on = partial(confirmation.next_of, linked)
    list(Runner(linked, opening.task_of(linked), engine, Interruption(), go_on=go_on).events())
    found = studies.linked(stored, "confirm")
    assert found is not None
    return found


def chosen(linked: StoredStudy) -> list[tuple[str, float]]:
    return [(entry["params"]["scheduler"], entry["params"]["lr"]) for entry in linked.study.user_attrs[FINALISTS]]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@pytest.mark.usefixtures("no_ladder")
def test_finalists_are_scored_on_holdout_rows(storage: BaseStorage, define: Define, engine: Engine) -> None:
    """Each value is that of a network trained by the loop on the holdout rows; plateau still follows the test rows."""
    search = {"schedulers": ["constant", "plateau"], "plateau": {"threshold": {"low": 0.01, "high": 0.5}}}
    definition = define(search=search, training={"epochs": 12, "batch_size": 14})
    shape = {"plateau.factor": 0.5, "plateau.patience": 1, "plateau.threshold": 0.2}
    stored = searched(storage, definition, ended(2.0, "plateau", 0.01, **shape), ended(3.0))
    linked = confirmed(stored, engine, seeds=2)
    task = opening.build_task(definition)
    assert task.holdout is not None
    assert len(linked.trials()) == 4
    rates = set()
    for trial in linked.trials():
        settings = settings_from(trial.params)
        assert settings.seed in (1000, 1001)
        run = start(task, settings.schedule, settings.lr, definition.training, settings.seed)
        records = list(train(run))
        expected = evaluate(run.model, task.holdout, {"mse": task.metric_function})["mse"]
        assert trial.value == pytest.approx(expected, rel=1e-4)
        tests = [trial.intermediate_values[epoch] for epoch in range(1, 13)]
        assert tests == pytest.approx([record.test_metric for record in records], rel=1e-4)
        assert trial.user_attrs["lr_curve"] == [record.lr for record in records]
        assert trial.user_attrs["device"] == "cpu"
        rates.update(trial.user_attrs["lr_curve"])
    assert len(rates) > 1, "plateau never reduced the rate, so the test shows nothing"


@pytest.mark.parametrize("holdout_rows", [10, 0])
@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_each_run_keeps_its_metric_per_block_of_rows(
    storage: BaseStorage, define: Define, engine: Engine, holdout_rows: int
) -> None:
    """Of those rows that score it; the trials of the search keep none."""
    definition = define(task={"name": "polynomial", "rows": 60, "holdout_rows": holdout_rows})
    stored = searched(storage, definition, ended(2.0), ended(3.0, lr=0.02))
    linked = confirmed(stored, engine, seeds=2)
    task = opening.build_task(definition)
    rows = count(task.holdout if task.holdout is not None else task.test)
    for trial in linked.trials():
        after, before = trial.user_attrs[BLOCK_VALUES], trial.user_attrs[BLOCKS_BEFORE]
        assert len(after) == len(before) == rows
        assert sum(after) / rows == pytest.approx(trial.value, rel=1e-6)
        assert sum(before) / rows == pytest.approx(trial.user_attrs[BEFORE], rel=1e-6)
    constant = linked.reader.attributes()[CONSTANT_PREDICTION]
    assert constant["name"] == "the mean of the training targets"
    assert len(constant["blocks"]) == rows
    assert sum(constant["blocks"]) / rows == pytest.approx(constant["value"])
    assert opening.task_of(stored).details == {}


@pytest.mark.usefixtures("no_ladder")
def test_a_confirmation_trial_is_repeated_with_its_own_seed(storage: BaseStorage, define: Define) -> None:
    """Its value is that on holdout rows; a repeated run shows the test metric."""
    linked = confirmed(searched(storage, define(), ended(2.0), ended(3.0, "lambda", decay=0.9)), seeds=3)
    for trial in linked.trials():
        again = repeatable(linked, trial.number)
        assert again.document["training"]["seeds"] == [trial.params["seed"]]
        definition = parse(again.document, "test")
        records = list(train(definition.start(definition.build_task())))
        assert again.value == pytest.approx(records[-1].test_metric, rel=1e-5)


def test_a_task_without_holdout_is_scored_on_its_test_rows(storage: BaseStorage, define: Define) -> None:
    definition = define(task={"name": "polynomial", "rows": 60, "holdout_rows": 0})
    linked = confirmed(searched(storage, definition, ended(2.0)), seeds=2)
    assert linked.study.user_attrs["lrsearch:origin"]["rows"] == "test"
    assert all(trial.value == trial.intermediate_values[4] for trial in linked.trials())


def test_fresh_seeds_are_never_those_of_the_study(define: Define) -> None:
    definition = define(training={"seeds": [24, 1001, 1003]})
    assert confirmation.fresh_seeds(definition, 4) == [1000, 1002, 1004, 1005]
    assert confirmation.fresh_seeds(definition, 2) == [1000, 1002]


@pytest.mark.usefixtures("no_ladder")
def test_asked_again_it_adds_only_what_is_new(storage: BaseStorage, define: Define) -> None:
    stored = searched(storage, define(), ended(2.0), ended(3.0, "lambda", decay=0.9))
    before = [(trial.params, trial.value) for trial in confirmed(stored, seeds=2).trials()]
    assert [(trial.params, trial.value) for trial in confirmed(stored, seeds=2).trials()] == before
    more = confirmed(stored, seeds=3)
    assert [(trial.params, trial.value) for trial in more.trials()][:4] == before
    assert sorted(trial.params["seed"] for trial in more.trials()) == [1000, 1000, 1001, 1001, 1002, 1002]
    stored.study.add_trial(ended(1.0, lr=0.02))
    grown = confirmed(stored, seeds=2)
    assert chosen(grown) == [("constant", 0.01), ("lambda", 0.01), ("constant", 0.02)]
    assert len(grown.trials()) == 9, "a new finalist is trained on all seeds that the others have"
    assert grown.definition is not None
    assert grown.definition.trials == 9


@pytest.mark.usefixtures("no_ladder")
def test_close_settings_of_another_type_go_before_better_ones_of_the_same(storage: BaseStorage, define: Define) -> None:
    lambdas = [ended(1.0 + place, "lambda", 0.01 + place / 100, decay=0.9) for place in range(4)]
    stored = searched(storage, define(), *lambdas, ended(9.0, lr=0.2), ended(1.5, lr=0.3))
    chosen = finalists(stored, 2)
    assert [(f.role, f.params["scheduler"], f.value) for f in chosen] == [
        ("search", "lambda", 1.0), ("search", "constant", 1.5)
    ]  # fmt: skip
    far = searched(storage, define(study={"name": "far", "trials": 9}), *lambdas, ended(9.0))
    assert [(f.role, f.value) for f in finalists(far, 2)] == [
        ("search", 1.0), ("search", 2.0), ("constant", 9.0)
    ]  # fmt: skip


@pytest.mark.usefixtures("no_ladder")
def test_diverged_pruned_and_excluded_trials_are_no_finalists(storage: BaseStorage, define: Define) -> None:
    pruned, steady = ended(1.0, lr=0.02), ended(1.0, lr=0.03)
    pruned.state = TrialState.PRUNED
    lost = create_trial(
        value=1.0, params=steady.params, distributions=steady.distributions, constraints={CONSTRAINT: 1.0}
    )
    stored = searched(storage, define(), ended(2.0, lr=0.01), pruned, lost, ended(1.0, lr=0.04))
    control.exclude(stored, 3, "a typing error")
    assert [finalist.number for finalist in finalists(stored, 5)] == [0]


@pytest.mark.usefixtures("no_ladder")
def test_tried_settings_are_always_among_the_finalists(storage: BaseStorage, define: Define) -> None:
    definition = define(**{"try": [{"lr": 0.05, "scheduler": "lambda", "decay": 0.9}]})
    stored = searched(storage, definition, *(ended(float(place), lr=0.01 + place / 100) for place in range(3)))
    chosen = finalists(stored, 1)
    assert [(f.role, f.number, f.value) for f in chosen] == [("search", 1, 0.0), ("try", None, None)]
    assert chosen[1].params == {"lr": 0.05, "scheduler": "lambda", "decay": 0.9}


@pytest.mark.usefixtures("no_ladder")
def test_an_interrupted_confirmation_goes_on(storage: BaseStorage, define: Define) -> None:
    """What was handed back is run again, and every pair of settings and seed counts once."""
    stored = searched(storage, define(), ended(2.0), ended(3.0, "lambda", decay=0.9))
    linked = confirmation.prepare(stored, seeds=3)
    events = Runner(linked, opening.task_of(linked), SequentialEngine(), Interruption()).events()
    began = [event for event, _ in zip(events, range(8), strict=False)]
    events.close()
    assert any(isinstance(event, TrialEnded) for event in began)
    done = [trial for trial in confirmed(stored, seeds=3).trials() if RETRIED not in trial.user_attrs]
    pairs = {(trial.params["scheduler"], trial.params["seed"]) for trial in done}
    assert len(pairs) == len(done) == 6
    assert all(trial.state == TrialState.COMPLETE for trial in done)


@pytest.mark.usefixtures("no_ladder")
def test_a_seed_that_diverges_is_told_apart_from_those_that_do_not(storage: BaseStorage, define: Define) -> None:
    definition = define(search={"schedulers": ["constant"], "lr": {"low": 1e-3, "high": 1e9, "log": True}})
    linked = confirmed(searched(storage, definition, ended(2.0, lr=1e8), ended(3.0)), seeds=2)
    diverged = {trial.params["lr"]: bool(trial.constraints.get(CONSTRAINT)) for trial in linked.trials()}
    assert diverged == {1e8: True, 0.01: False}
    assert {trial.params["lr"]: BLOCK_VALUES not in trial.user_attrs for trial in linked.trials()} == diverged


def test_the_confirmation_belongs_to_its_study(storage: BaseStorage, define: Define) -> None:
    stored = searched(storage, define(search={"schedulers": ["lambda"]}), ended(2.0, "lambda", decay=0.9))
    linked = confirmed(stored, seeds=2)
    assert links.existing(storage, "small") == {"confirm": "small/confirm"}
    assert linked.origin == "small"
    with pytest.raises(InputError, match="belongs to study small: confirm that one"):
        confirmation.prepare(linked)
    with pytest.raises(InputError, match="for more seeds or finalists: lrsearch study confirm"):
        budget.set_budget(linked, 100)
    control.delete(stored)
    assert studies.names(storage) == []


def test_what_cannot_be_confirmed_says_why(storage: BaseStorage, define: Define) -> None:
    stored = studies.create(storage, define(), "mse")
    with pytest.raises(InputError, match="nothing to confirm"):
        confirmation.prepare(stored)
    studies.create(storage, define(study={"name": "small/confirm", "trials": 3}), "mse")
    stored.study.add_trial(ended(2.0))
    with pytest.raises(InputError, match="this name is needed"):
        confirmation.prepare(stored)


@pytest.mark.usefixtures("no_ladder")
def test_several_that_prepare_at_once_choose_one_set_of_finalists(define: Define, database_url: str) -> None:
    """Each with connections of its own, all at the same moment; nobody is turned away, and no run is there twice."""
    storage = open_storage(database_url)
    trials = [ended(5.0 + n, "constant" if n % 2 else "lambda", 0.01 + n / 1000, **({} if n % 2 else {"decay": 0.9}))
              for n in range(6)]  # fmt: skip
    searched(storage, define(confirm={"top": 3, "seeds": 4}), *trials)
    barrier = threading.Barrier(WORKERS)

    def prepare() -> str:
        own = open_storage(database_url)
        stored = studies.load(own, "small")
        barrier.wait()
        confirmation.advance(stored)
        close(own)
        return stored.name

    with ThreadPoolExecutor(WORKERS) as pool:
        assert list(pool.map(lambda _: prepare(), range(WORKERS))) == ["small"] * WORKERS
    linked = studies.load(storage, "small/confirm")
    assert linked.definition is not None
    runs = [trial.system_attrs["fixed_params"] for trial in linked.study.get_trials(deepcopy=False)]
    assert len(runs) == len({frozenset(run.items()) for run in runs}) == linked.definition.trials
    finalists = linked.reader.attributes()[FINALISTS]
    assert len(runs) == 4 * len(finalists)
    close(storage)


@pytest.mark.parametrize("kept", [0, 1, 3, 5], ids=["only its name", "its origin", "half its attributes", "no trials"])
def test_a_confirmation_that_was_left_half_made_is_completed(storage: BaseStorage, define: Define, kept: int) -> None:
    """Whoever made it was killed on the way; without its definition no worker takes it for a study to train."""
    stored = searched(storage, define(confirm={"top": 1, "seeds": 2}), ended(5.0), ended(6.0, "lambda", decay=0.9))
    stored.study.add_trials([ended(9.0 + n) for n in range(4)])
    whole = confirmation.prepare(stored)
    attributes = whole.reader.attributes()
    control.delete(studies.load(storage, "small/confirm"))
    half = optuna.create_study(study_name="small/confirm", storage=storage)
    for key in (ORIGIN, METRIC, VERSION, DATA, FINALISTS)[:kept]:
        half.set_user_attr(key, attributes[key])
    assert confirmation.is_wanted(stored)
    made = confirmation.prepare(stored)
    assert made.reader.attributes() == attributes
    assert len(made.trials()) == len(whole.trials())


def test_another_study_of_that_name_is_left_alone(storage: BaseStorage, define: Define) -> None:
    stored = searched(storage, define(confirm={"top": 1}), ended(5.0))
    other = optuna.create_study(study_name="small/confirm", storage=storage)
    other.add_trial(ended(1.0))
    with pytest.raises(InputError, match="this name is needed for a part of study small"):
        confirmation.prepare(stored)
    assert len(other.trials) == 1


def test_it_is_wanted_until_it_is_finished_and_again_when_the_search_has_gone_on(
    storage: BaseStorage, define: Define
) -> None:
    stored = searched(storage, define(confirm={"top": 1, "seeds": 2}), *(ended(5.0 + n) for n in range(6)))
    assert confirmation.is_wanted(stored)
    confirmation.prepare(stored)
    assert confirmation.is_wanted(stored), "nothing of it is trained yet"
    confirmed(stored)
    assert not confirmation.is_wanted(stored)
    stored.study.add_trial(ended(1.0, lr=0.02))
    assert confirmation.is_wanted(stored)
    unwanted = studies.redefine(stored, define(confirm={"top": 0}))
    assert not confirmation.is_wanted(unwanted)


def entries(linked: StoredStudy) -> list[Finalist]:
    return [Finalist.of(entry) for entry in linked.reader.attributes()[FINALISTS]]


def pairs(linked: StoredStudy) -> list[tuple[Any, ...]]:
    """Settings and seed of every run that counts."""
    done = [trial for trial in linked.trials() if RETRIED not in trial.user_attrs]
    assert all(trial.state == TrialState.COMPLETE for trial in done)
    return sorted(tuple(sorted(trial.params.items())) for trial in done)


@pytest.fixture
def open_question(define: Define) -> Definition:
    """A study whose confirmation says itself on how many seeds; so few epochs decide nothing."""
    return define(confirm={"top": 3, "margin": 0.0}, task={"name": "polynomial", "rows": 60, "holdout_rows": 20})


def test_it_goes_on_in_rounds_in_which_all_that_stay_have_the_same_seeds(
    storage: BaseStorage, open_question: Definition
) -> None:
    stored = searched(storage, open_question, ended(2.0), ended(2.5, "lambda", decay=0.9), ended(3.0, lr=0.03))
    linked = confirmed(stored)
    found, plan = entries(linked), Plan.of(linked.reader.attributes()[PLAN])
    assert plan.done
    assert 1 <= len(plan.rounds) <= rounds.ROUNDS
    constants = [entry for entry in found if entry.role == "constant"]
    assert sum(entry.seeds == rounds.SCREENING for entry in constants) >= len(constants) - rounds.CONSTANTS
    assert {entry.seeds for entry in found} <= {rounds.SCREENING, *plan.rounds}
    assert len(pairs(linked)) == sum(entry.seeds or 0 for entry in found)
    kept = [entry for entry in found if (entry.seeds or 0) > rounds.SCREENING]
    assert sum(entry.seeds or 0 for entry in kept) <= plan.runs
    evidence = gather_of(stored)
    assert {len(one.values[np.isfinite(one.values)]) for one in evidence.contenders} == {e.seeds for e in found}
    assert not confirmation.is_wanted(stored)


def gather_of(stored: StoredStudy) -> Evidence:
    found = confirmation_of(stored)
    assert found is not None
    return gather(found)


def test_however_it_is_cut_into_sittings_it_trains_the_same(storage: BaseStorage, open_question: Definition) -> None:
    """One process to the end, or a new one for every few trials: the same runs and the same values."""
    trials = [ended(2.0), ended(2.5, "lambda", decay=0.9), ended(3.0, lr=0.03)]
    whole = confirmed(searched(storage, open_question, *trials))
    section = open_question.study.model_copy(update={"name": "cut", "trials": 3})
    cut = searched(storage, open_question.model_copy(update={"study": section}), *trials)
    while confirmation.is_wanted(cut):
        confirmation.advance(cut)
        linked = studies.linked(cut, "confirm")
        assert linked is not None
        events = Runner(linked, opening.task_of(linked), SequentialEngine(), Interruption()).events()
        for event in events:
            if isinstance(event, TrialEnded) and event.number % 5 == 4:
                break
        events.close()
    again = studies.linked(cut, "confirm")
    assert again is not None
    assert entries(again) == entries(whole)
    assert pairs(again) == pairs(whole)
    values = [{tuple(sorted(t.params.items())): t.value for t in one.trials() if t.value} for one in (whole, again)]
    assert values[0] == values[1]


def test_so_many_seeds_as_a_person_says_are_exactly_so_many(storage: BaseStorage, open_question: Definition) -> None:
    stored = searched(storage, open_question, ended(2.0), ended(2.5, "lambda", decay=0.9))
    confirmed(stored)
    linked = confirmed(stored, seeds=7)
    found = entries(linked)
    assert {entry.seeds for entry in found if entry.role != "constant"} == {7}
    assert {entry.seeds for entry in found if entry.role == "constant"} <= {rounds.SCREENING, 7}
    assert gather_of(stored).is_finished


def test_several_that_go_on_at_once_plan_one_round(define: Define, database_url: str) -> None:
    storage = open_storage(database_url)
    definition = define(confirm={"top": 2, "margin": 0.0})
    stored = searched(storage, definition, ended(2.0), ended(2.5, "lambda", decay=0.9))
    linked = confirmation.prepare(stored)
    list(Runner(linked, opening.task_of(linked), BatchedEngine(), Interruption()).events())
    barrier = threading.Barrier(WORKERS)

    def go_on() -> int:
        own = open_storage(database_url)
        barrier.wait()
        further = confirmation.go_on(studies.load(own, "small"))
        close(own)
        assert further is not None
        assert further.definition is not None
        return further.definition.trials

    with ThreadPoolExecutor(WORKERS) as pool:
        budgets = set(pool.map(lambda _: go_on(), range(WORKERS)))
    made = studies.load(storage, "small/confirm")
    runs = [{**trial.system_attrs["fixed_params"]} for trial in made.study.get_trials(deepcopy=False)]
    assert len(runs) == len({frozenset(run.items()) for run in runs}) == sum(e.seeds or 0 for e in entries(made))
    assert budgets == {len(runs)}
    close(storage)


@pytest.mark.usefixtures("no_ladder")
def test_half_and_twice_the_recommended_rate_are_trained_beside_the_finalists(
    storage: BaseStorage, define: Define
) -> None:
    """When the question is answered, on its seeds, in however many sittings; the answer is that without them."""
    definition = define(
        study={"name": "small", "trials": 2}, confirm={"top": 2, "seeds": 4}, training={"epochs": 8, "batch_size": 14},
        task={"name": "polynomial", "rows": 200, "holdout_rows": 60},
    )  # fmt: skip
    stored = searched(storage, definition, ended(2.0, lr=0.1), ended(2.5, "lambda", 0.2, decay=0.9))
    sittings = []
    while confirmation.is_wanted(stored):  # a new process for every round
        confirmation.advance(stored)
        linked = studies.load(storage, "small/confirm")
        list(Runner(linked, opening.task_of(linked), SequentialEngine(), Interruption()).events())
        sittings.append(gather_of(stored))
    *_, before, after = sittings
    assert not before.beside
    assert before.learned, "where nothing is learned other rates say nothing"
    assert after.recommended.params == before.recommended.params
    for name in ("expected", "margin_used", "constant", "missing", "chances"):
        assert str(getattr(after, name)) == str(getattr(before, name)), name
    assert [one.values.tolist() for one in after.complete] == [one.values.tolist() for one in before.complete]
    lr = after.recommended.params["lr"]
    assert [one.params["lr"] for one in after.beside] == pytest.approx([lr / 2, lr * 2], rel=1e-3)
    for one in after.beside:
        assert {**one.params, "lr": lr} == after.recommended.params
        assert np.isfinite(one.values).all(), "on the seeds of the recommended rate"
    found = recommendation.recommended(stored)
    assert found is not None
    assert found.valley is not None
    assert confirmation.runs(definition) == (2 + rounds.CONSTANTS) * 4 + 3 * 4, "the forecast counts them, and a middle"
    without = define(confirm={"top": 2, "seeds": 4, "valley": False})
    assert confirmation.runs(without) == (2 + rounds.CONSTANTS) * 4
