"""Settings for a whole generation, chosen in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import databases
import pytest
from optuna.trial import TrialState

from lrsearch import registry
from lrsearch.pruning import comparison
from lrsearch.pruning.comparison import AtRung
from lrsearch.sampling import ask
from lrsearch.sampling.ask import Asked, Asker
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.attributes import CONSTRAINT
from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.storage.store import Chosen, Claim, TrialEnd
from lrsearch.study import control, status
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition
from lrsearch.training.batched import BatchedEngine


@pytest.mark.parametrize(("trials", "size"), [(10, 64), (400, 100), (9999, 512)])
def test_a_generation_is_a_quarter_within_bounds(define: Callable[..., Definition], trials: int, size: int) -> None:
    assert ask.generation_size(define(study={"name": "s", "trials": trials})) == size
    assert ask.generation_size(define(sampler={"name": "tpe", "generation": 7})) == 7


def study(define: Callable[..., Definition], folder: Path, url: str = "", **sections: Any) -> StoredStudy:
    """A new study in an SQLite file, or in the database of a URL."""
    storage = open_storage(url or f"sqlite:///{folder}/s.db", create=True)
    return studies.create(storage, define(**{"study": {"name": "s", "trials": 200}, **sections}), "mse")


def asker_of(stored: StoredStudy) -> Asker:
    """As a process has it that has just come."""
    assert stored.definition is not None
    return Asker(stored.definition, stored.reader)


def claim(stored: StoredStudy, number: int) -> list[Claim]:
    return trial_store(stored.study, stored.storage).claim(number, 200, Worker.this().as_dict())


def tell(stored: StoredStudy, chosen: Mapping[Claim, Chosen]) -> None:
    """End trials as if they had been trained: some diverge, some are pruned."""
    store = trial_store(stored.study, stored.storage)
    store.choose({own.trial_id: settled for own, settled in chosen.items()})
    outcomes = []
    for own, settled in chosen.items():
        value = abs(math.log10(settled.params["lr"]) + 2)
        state = TrialState.PRUNED if own.number % 3 == 1 else TrialState.COMPLETE
        constraints = {CONSTRAINT: 1.0} if own.number % 5 == 2 and state == TrialState.COMPLETE else {}
        store.record({own.trial_id: {1: 9.0, 2: value}})
        outcomes.append(TrialEnd(own.trial_id, state, value, {}, constraints))
    store.finish(outcomes)


def params(asked: Asked) -> dict[int, dict[str, Any]]:
    return {own.number: dict(settled.params) for own, settled in asked.chosen.items()}


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_what_is_asked_depends_on_the_number_not_on_the_company(
    define: Callable[..., Definition], tmp_path: Path, sampler: str
) -> None:
    """Asked together, in two parts, after a restart or again: the same settings, all different from each other."""
    stored = study(define, tmp_path, sampler={"name": sampler})
    tell(stored, asker_of(stored).ask(claim(stored, 30)).chosen)
    claims = claim(stored, 16)
    asker = asker_of(stored)
    whole = params(asker.ask(claims))
    assert params(asker.ask(claims)) == whole
    assert params(asker_of(stored).ask(claims[::-1])) == whole
    assert params(asker_of(stored).ask(claims[:1])) == {30: whole[30]}
    assert len({entry["lr"] for entry in whole.values()}) == 16


def test_an_asker_that_stays_answers_like_one_that_has_just_come(
    database_url: str, define: Callable[..., Definition], tmp_path: Path
) -> None:
    """What was read bit by bit is what is read at once, on every database and through Optuna's public API."""
    stored = study(define, tmp_path, database_url)
    try:
        staying = asker_of(stored)
        for _ in range(3):
            tell(stored, staying.ask(claim(stored, 12)).chosen)
        claims = claim(stored, 20)
        asked = params(staying.ask(claims))
        assert params(asker_of(stored).ask(claims)) == asked
        slow = asker_of(stored)
        slow._history._engine = None
        assert params(slow.ask(claims)) == asked
    finally:
        databases.close(stored.storage)


def test_what_is_fixed_stays_and_what_others_train_is_kept_away_from(
    define: Callable[..., Definition], tmp_path: Path
) -> None:
    """Tried settings and retries keep theirs; a part that is fixed is completed; other workers' trials matter."""
    stored = study(define, tmp_path, **{"try": [{"lr": 0.02, "scheduler": "lambda", "decay": 0.9}]})
    tell(stored, asker_of(stored).ask(claim(stored, 20)).chosen)
    assert stored.trials()[0].params == {"lr": 0.02, "scheduler": "lambda", "decay": 0.9}
    stored.study.enqueue_trial({"scheduler": "lambda"})
    claims = claim(stored, 17)
    alone = params(asker_of(stored).ask(claims))
    assert alone[20]["scheduler"] == "lambda"
    assert 0.8 <= alone[20]["decay"] <= 0.999
    later = claim(stored, 40)
    unaware = params(asker_of(stored).ask(later))
    others = asker_of(stored).ask(claims[:12]).chosen
    trial_store(stored.study, stored.storage).choose({own.trial_id: chosen for own, chosen in others.items()})
    beside = params(asker_of(stored).ask(later))
    assert beside != unaware
    trial_store(stored.study, stored.storage).hand_back([own.trial_id for own in claims], "a test")
    assert params(asker_of(stored).ask(later)) == beside, "settings that wait to be run again are kept away from, too"
    retried = claim(stored, 17)
    again = params(asker_of(stored).ask(retried))
    assert [again[own.number] for own in retried[:12]] == [alone[own.number] for own in claims[:12]]


def test_an_excluded_trial_teaches_nothing(define: Callable[..., Definition], tmp_path: Path) -> None:
    """The best trial is a mistake; once it is taken out the study is asked as if it had never been."""
    stored = study(define, tmp_path)
    tell(stored, asker_of(stored).ask(claim(stored, 40)).chosen)
    best = min(
        stored.trials(), key=lambda trial: (trial.state != TrialState.COMPLETE, bool(trial.constraints), trial.value)
    )
    claims = claim(stored, 16)
    asker = asker_of(stored)
    before = params(asker.ask(claims))
    control.exclude(stored, best.number, "a mistake")
    assert params(asker.ask(claims)) != before
    assert best.number not in {trial.number for trial in asker._history.told()}
    control.include(stored, best.number)
    assert params(asker.ask(claims)) == before


def test_a_batched_generation_keeps_the_best_of_each_type(define: Callable[..., Definition], tmp_path: Path) -> None:
    """The rule is recomputed from the stored values."""
    definition = define(
        study={"name": "together", "trials": 40},
        training={"epochs": 8, "batch_size": 14},
        pruner={"name": "halving", "rungs": [0.25, 0.5], "keep": 0.333},
    )
    storage = open_storage(f"sqlite:///{tmp_path}/s.db", create=True)
    stored = studies.create(storage, definition, "mse")
    task = registry.tasks.get("polynomial").build(definition.task.options)
    list(Runner(stored, task, BatchedEngine(), Interruption()).events())
    counts = status.count(stored)
    assert (counts.complete + counts.pruned, counts.running) == (40, 0)
    trials = stored.trials()
    assert {trial.user_attrs["engine"] for trial in trials} == {"batched"}
    for kind in ("constant", "lambda"):
        group = [trial for trial in trials if trial.params["scheduler"] == kind]
        for rung in (2, 4):
            there = [trial for trial in group if rung in trial.intermediate_values]
            ranked = sorted(there, key=lambda trial: (trial.intermediate_values[rung], trial.number))
            on = {trial.number for trial in there if max(trial.intermediate_values) > rung}
            if len(there) > comparison.FREE:
                assert on == {trial.number for trial in ranked[: comparison.survivors(len(there), 0.333)]}
    done = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    assert done
    assert all(len(trial.user_attrs["train_curve"]) == 8 for trial in done)


def test_halving_leaves_small_groups_to_the_asynchronous_rule() -> None:
    values = {number: AtRung(number, "a" if number < 6 else "b", float(-number)) for number in range(9)}
    ended, compared = comparison.halve(values, 0.333)
    assert compared == {0, 1, 2, 3, 4, 5}
    assert ended == {0, 1, 2, 3}
    ended, _ = comparison.halve({n: AtRung(n, "a", float(n or "nan")) for n in range(6)}, 0.333)
    assert ended == {0, 3, 4, 5}
