"""What is read as far as it has changed is what a look at all trials would find."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import BaseStorage
from optuna.trial import TrialState
from sqlalchemy import Engine, event

from lrsearch.pruning.comparison import at_rungs
from lrsearch.pruning.extrapolation import StratifiedExtrapolation
from lrsearch.pruning.halving import StratifiedHalving
from lrsearch.pruning.stratified import StratifiedPruner
from lrsearch.storage.choice import study_reader
from lrsearch.storage.counts import engine_of
from lrsearch.storage.history import History
from lrsearch.storage.liveness import Worker
from lrsearch.storage.open_trials import OpenTrialsReader
from lrsearch.storage.rung_values import RungValues
from lrsearch.storage.sql_store import SqlStore
from lrsearch.storage.store import Chosen, TrialEnd

KINDS = {"lr": FloatDistribution(1e-4, 1.0, log=True), "scheduler": CategoricalDistribution(["a", "b"])}
RUNG = 2
ENDS = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL]


class Life:
    """A study whose trials are claimed, trained, ended, handed back and lost as it happens."""

    def __init__(self, storage: BaseStorage, seed: int) -> None:
        self.storage = storage
        self.study = optuna.create_study(storage=storage, study_name="s")
        engine = engine_of(storage)
        assert engine is not None
        self.engine: Engine = engine
        self.reader = study_reader(self.study, storage)
        self.store = SqlStore(engine, self.study._study_id)
        self.random = random.Random(seed)
        self.mine: list[int] = []

    def goes_on(self) -> None:
        """Something happens."""
        what = self.random.randrange(5)
        if what < 2:
            claims = self.store.claim(self.random.randrange(1, 4), 60, Worker.this().as_dict())
            settings = {"lr": 0.1, "scheduler": self.random.choice("ab")}
            self.store.choose({claim.trial_id: Chosen(settings, KINDS) for claim in claims})
            value = self.random.choice([math.nan, self.random.random()])
            self.store.record({claim.trial_id: {1: 0.5, RUNG: value} for claim in claims})
            self.mine += [claim.trial_id for claim in claims]
        elif what == 2 and self.mine:
            self.store.hand_back([self._one()], "for a test")
        elif self.mine:
            self.store.finish([TrialEnd(self._one(), self.random.choice(ENDS), 1.0)])

    def _one(self) -> int:
        return self.mine.pop(self.random.randrange(len(self.mine)))


@pytest.fixture
def life(database_url: str, opened: Callable[[str], BaseStorage]) -> Life:
    return Life(opened(database_url), seed=3)


def test_the_tail_counts_as_all_trials_do(life: Life) -> None:
    reader = OpenTrialsReader(life.study._study_id)
    for _ in range(40):
        life.goes_on()
        with life.engine.begin() as connection:
            own, whole = reader.read(connection), OpenTrialsReader(life.study._study_id).read(connection)
        assert own == whole
    trials = life.study.get_trials(deepcopy=False)
    assert own.trials == len(trials) > 20
    assert own.used == sum("retried" not in trial.user_attrs for trial in trials)
    assert own.used < own.trials
    assert set(own.running.values()) == {t.number for t in trials if t.state == TrialState.RUNNING}


def test_the_history_is_the_same_however_often_it_was_read(life: Life) -> None:
    history = History(life.reader)
    for _ in range(40):
        life.goes_on()
        history.refresh()
        fresh = History(life.reader)
        fresh.refresh()
        # As texts, in which a NaN equals another one.
        assert repr((history.told(), history.pending())) == repr((fresh.told(), fresh.pending()))
    assert len(history.told()) > 5


@pytest.mark.parametrize("pruner", [StratifiedHalving([RUNG], keep=0.333), StratifiedExtrapolation([RUNG], keep=0.333)])
def test_at_a_rung_everybody_is_judged_as_optuna_would_be_told(life: Life, pruner: StratifiedPruner) -> None:
    rungs = RungValues(life.reader, pruner.epochs)
    answers = []
    for _ in range(24):
        life.goes_on()
        there = rungs.read()
        for trial in life.study.get_trials(deepcopy=False):
            if RUNG not in trial.intermediate_values:
                continue
            own = pruner.at_rung(RUNG, at_rungs([trial])[trial.number], maximise=False)
            seen = pruner.seen(there, RUNG, {trial.number}, maximise=False)
            answers.append(pruner.ends(own, seen.of(own.scheduler), RUNG, seen.all))
            assert answers[-1] == pruner.prune(life.study, trial)
    assert {True, False} == set(answers)


def test_a_claim_does_not_read_the_trials_that_are_done(life: Life) -> None:
    """Or else it would take ever longer, with all others waiting for the study's lock."""
    for size in (5, 50):
        claims = life.store.claim(size, 1000, Worker.this().as_dict())
        life.store.finish([TrialEnd(claim.trial_id, TrialState.COMPLETE, 1.0) for claim in claims])
    life.store.claim(1, 1000, Worker.this().as_dict())
    fetched = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT") and "FROM trials" in statement:
            fetched.append(cursor.rowcount)  # type: ignore[attr-defined]

    event.listen(life.engine, "after_cursor_execute", note)
    life.store.claim(1, 1000, Worker.this().as_dict())
    event.remove(life.engine, "after_cursor_execute", note)
    assert fetched
    assert max(fetched) < 5
