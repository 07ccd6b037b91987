"""An audit trains some of the pruned trials on, and changes nothing else about a study."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from lrsearch import registry
from lrsearch.pruning.audit import is_chosen
from lrsearch.sampling.proposer import Uniform
from lrsearch.search.events import EpochDone, Event, TrialEnded
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import recommendation, status
from lrsearch.study import stored as studies
from lrsearch.study.finalists import finalists
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition, TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Engine, Lane, LaneStream, SequentialEngine

Define = Callable[..., Definition]
ENGINES = [SequentialEngine, BatchedEngine]
EPOCHS = 8
AUDIT_KEYS = {"audit_curve", "audit_value", "audit_diverged_at", "audit_error", "audit_seconds"}
CHANGING = {"worker", "train_seconds", "audit_seconds"}
"""Attributes that no two runs have in common."""


@pytest.fixture
def audited(define: Define) -> Callable[..., Definition]:
    """A study in which many trials are pruned; keyword arguments are the options of its pruner."""

    def make(sampler: str = "random", trials: int = 24, generation: int = 64, **pruner: Any) -> Definition:
        return define(
            study={"name": "audited", "trials": trials},
            training={"epochs": EPOCHS, "batch_size": 14},
            sampler={"name": sampler, "seed": 3, "generation": generation},
            pruner={"name": "halving", "rungs": [0.25, 0.5], **pruner},
        )

    return make


def stock(define: Define, name: str, share: float) -> Definition:
    own = {"hyperband": {"min_epochs": 1}}.get(name, {"startup_trials": 2, "warmup_epochs": 1})
    return define(
        study={"name": "audited", "trials": 14},
        training={"epochs": EPOCHS, "batch_size": 14},
        sampler={"name": "random", "seed": 3, "generation": 8},
        pruner={"name": name, "audit": share, **own},
    )


def begun(definition: Definition, engine: Engine) -> tuple[StoredStudy, Iterator[Event]]:
    stored = studies.create(open_storage("sqlite://"), definition, "mse")
    task = registry.tasks.get(definition.task.name).build(definition.task.options)
    return stored, Runner(stored, task, engine, Interruption()).events()


def finished(definition: Definition, engine: Engine) -> list[FrozenTrial]:
    stored, events = begun(definition, engine)
    list(events)
    return stored.trials()


def without_audit(trial: FrozenTrial) -> tuple[object, ...]:
    """All that a sampler, a pruner, a report or a person could see of a trial, but for the audit and the clock."""
    kept = {key: value for key, value in trial.user_attrs.items() if key not in AUDIT_KEYS | CHANGING}
    return (trial.number, trial.state, trial.params, trial.value, trial.intermediate_values, trial.constraints, kept)


def audits(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    return [trial for trial in trials if "audit_curve" in trial.user_attrs]


@pytest.mark.parametrize(("sampler", "engine"), [("random", SequentialEngine), ("tpe", BatchedEngine)])
def test_an_audit_changes_nothing_else(engine: type[Engine], sampler: str, audited: Define) -> None:
    """Settings, states, values, curves and attributes are the same to the last bit."""
    plain, watched = (finished(audited(sampler, generation=12, audit=share), engine()) for share in (0.0, 0.5))
    assert list(map(without_audit, watched)) == list(map(without_audit, plain))
    assert not audits(plain)
    assert 0 < len(audits(watched)) < sum(trial.state == TrialState.PRUNED for trial in watched)


@pytest.mark.parametrize(
    ("pruner", "engine"),
    [
        ("median", BatchedEngine),
        ("percentile", BatchedEngine),
        ("hyperband", BatchedEngine),
        *(
            pytest.param(name, SequentialEngine, marks=pytest.mark.soak)
            for name in ("median", "percentile", "hyperband")
        ),
    ],
)
def test_nor_does_it_with_the_pruners_of_optuna(engine: type[Engine], pruner: str, define: Define) -> None:
    plain, watched = (finished(stock(define, pruner, share), engine()) for share in (0.0, 0.5))
    assert list(map(without_audit, watched)) == list(map(without_audit, plain))
    assert audits(watched)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_audited_trial_ends_where_it_would_have_without_a_pruner(
    engine: type[Engine], audited: Define, define: Define
) -> None:
    """Random sampling gives the same settings, so the study that prunes nothing knows how each would have ended."""
    watched = finished(audited(audit=0.5), engine())
    unpruned = audited(audit=0.0).model_copy(update={"pruner": define(pruner={"name": "none"}).pruner})
    ends = finished(unpruned, engine())
    assert audits(watched)
    for trial in audits(watched):
        rung = len(trial.intermediate_values)
        curve = {rung + place: value for place, value in enumerate(trial.user_attrs["audit_curve"], 1)}
        assert rung in (2, 4)
        assert trial.intermediate_values | curve == ends[trial.number].intermediate_values
        assert trial.user_attrs["audit_value"] == ends[trial.number].value
        assert (trial.state, trial.value) == (TrialState.PRUNED, trial.intermediate_values[rung])
        assert trial.user_attrs["audit_seconds"] >= 0


def halved(curves: Mapping[int, tuple[str, Mapping[int, float]]], rungs: Sequence[int]) -> dict[int, int]:
    """Trial -> rung that ends it: a generation that meets at the rungs, spelled out. Whoever ended never comes back."""
    ended: dict[int, int] = {}
    for rung in rungs:
        for kind in {kind for kind, _ in curves.values()}:
            here = [number for number, (own, _) in curves.items() if own == kind and number not in ended]
            here.sort(key=lambda number: (curves[number][1][rung], number))
            ended |= dict.fromkeys(here[max(1, math.floor(0.333 * len(here) + 0.5)) :], rung)
    return ended


@pytest.mark.parametrize("share", [0.4, 0.99])
def test_audited_trials_take_nobodys_place(share: float, audited: Define, define: Define) -> None:
    """Who survives is what the rule says of a generation that audits nobody."""
    definition = audited(trials=40, audit=share)
    watched = finished(definition, BatchedEngine())
    unpruned = definition.model_copy(update={"pruner": define(pruner={"name": "none"}).pruner})
    ends = finished(unpruned, BatchedEngine())
    expected = halved({t.number: (t.params["scheduler"], t.intermediate_values) for t in ends}, [2, 4])
    assert {t.number: t.last_step for t in watched if t.state == TrialState.PRUNED} == expected
    assert [t.number for t in audits(watched)] == [n for n in sorted(expected) if is_chosen(3, n, share)]


def test_epochs_of_the_audit_are_counted(audited: Define) -> None:
    stored, events = begun(audited(audit=0.5), BatchedEngine())
    seen = list(events)
    assert audits(stored.trials())
    trained = sum(event.trials for event in seen if isinstance(event, EpochDone))
    assert status.epochs_trained(stored.trials()) == trained
    ended = {
        event.number: (event.state, event.value, event.diverged) for event in seen if isinstance(event, TrialEnded)
    }
    assert ended == {trial.number: (trial.state, trial.value, False) for trial in stored.trials()}


class Troubled(BatchedEngine):
    """From some epoch on, some rates make training fail, or diverge; and too many lanes are too many."""

    def __init__(self, after: int, *, fails: float = -1, diverges: float = -1, most: int = 1000) -> None:
        super().__init__()
        self.after, self.fails, self.diverges, self.most = after, fails, diverges, most
        self.trained: list[int] = []

    def train(
        self, task: Task, lanes: Sequence[Lane], training: TrainingSection, pauses: Collection[int] = ()
    ) -> LaneStream:
        self.trained.append(len(lanes))
        stream = super().train(task, lanes, training, pauses)
        records = next(stream)
        while True:
            if records.epoch > self.after:
                rates = [lanes[index].lr for index in records.lanes]
                if self.fails in rates:
                    raise RuntimeError("singular matrix")
                if len(rates) > self.most:
                    raise MemoryError
                records = replace(records, diverged=records.diverged | (np.array(rates) == self.diverges))
            kept = yield records
            try:
                records = stream.send(kept)
            except StopIteration:
                return


def test_an_audit_outlives_passes_that_fail(audited: Define) -> None:
    """After the last rung the batch is too large: what is left is trained again in halves, audited trials as such."""
    definition = audited(audit=0.5)
    engine = Troubled(5, most=4)
    found, expected = finished(definition, engine), finished(definition, BatchedEngine())
    assert len(engine.trained) > 2
    assert list(map(without_audit, found)) == list(map(without_audit, expected))
    first, second = ([trial.user_attrs["audit_curve"] for trial in audits(own)] for own in (found, expected))
    assert first == second


def test_an_audited_trial_that_fails_later_is_pruned_all_the_same(audited: Define) -> None:
    definition = audited(audit=0.5)
    expected = finished(definition, BatchedEngine())
    chosen = next(trial for trial in audits(expected) if trial.last_step == 4)
    found = finished(definition, Troubled(5, fails=chosen.params["lr"]))
    assert list(map(without_audit, found)) == list(map(without_audit, expected))
    told = found[chosen.number].user_attrs
    assert told["audit_error"] == "RuntimeError: singular matrix"
    assert told["audit_curve"] == chosen.user_attrs["audit_curve"][:1]
    assert "audit_value" not in told
    assert status.audit(found[chosen.number]) == {"audit": told["audit_error"], "epochs of audit": 1}


def test_an_audited_trial_that_diverges_later_is_pruned_all_the_same(audited: Define) -> None:
    definition = audited(audit=0.5)
    expected = finished(definition, BatchedEngine())
    chosen = audits(expected)[0]
    found = finished(definition, Troubled(5, diverges=chosen.params["lr"]))
    assert list(map(without_audit, found)) == list(map(without_audit, expected))
    told = found[chosen.number].user_attrs
    assert told["audit_diverged_at"] == 6
    assert len(told["audit_curve"]) == 6 - chosen.last_step  # type: ignore[operator]
    assert "audit_value" not in told
    assert status.audit(found[chosen.number])["audit"] == "diverged in epoch 6"


@pytest.mark.parametrize("engine", ENGINES)
def test_audited_trials_that_are_handed_back_are_run_again(engine: type[Engine], audited: Define) -> None:
    """One that is under way is like any other: nothing of its audit is stored, and its settings wait."""
    definition = audited(audit=0.9)
    stored, events = begun(definition, engine())
    for event in events:
        running = [trial for trial in stored.trials() if trial.state == TrialState.RUNNING]
        if isinstance(event, EpochDone) and event.epoch == EPOCHS - 1 and any(t.last_step == 2 for t in running):
            break
    events.close()  # type: ignore[attr-defined]
    lost = [trial for trial in stored.trials() if trial.state == TrialState.FAIL]
    assert any(trial.last_step == 2 for trial in lost)
    assert not audits(lost)
    task = registry.tasks.get(definition.task.name).build(definition.task.options)
    list(Runner(stored, task, engine(), Interruption()).events())
    counts = status.count(stored)
    assert (counts.complete + counts.pruned, counts.failed, counts.retried) == (24, 0, len(lost))
    assert all(t.state == TrialState.PRUNED and "audit_value" in t.user_attrs for t in audits(stored.trials()))


def test_no_audited_trial_is_a_best_one_or_a_finalist(define: Define) -> None:
    """However well it ended."""
    stored = studies.create(open_storage("sqlite://"), define(), "mse")
    lr = {"lr": FloatDistribution(1e-4, 1.0)}
    for state, value in ((TrialState.COMPLETE, 5.0), (TrialState.PRUNED, 9.0)):
        curve = dict.fromkeys(range(1, 5 if state == TrialState.COMPLETE else 2), value)
        own = {} if state == TrialState.COMPLETE else {"audit_curve": [3.0, 2.0, 1.0], "audit_value": 1.0}
        kind = optuna.distributions.CategoricalDistribution(["constant", "lambda"])
        stored.study.add_trial(
            optuna.trial.create_trial(
                state=state, value=value, params={"lr": value / 10, "scheduler": "constant"},
                distributions={**lr, "scheduler": kind}, intermediate_values=curve, user_attrs=own,
            )
        )  # fmt: skip
    best = status.best(stored)
    assert best is not None
    assert best.number == 0
    assert {finalist.number for finalist in finalists(stored, 5)} <= {0, None}, "None is a rate of the ladder"
    assert recommendation.summary(stored)["epochs_trained"] == 4 + 1 + 3


seeds, shares = st.integers(0, 2**32 - 1), st.floats(0, 1, exclude_max=True)


@settings(max_examples=20)
@given(seeds, shares)
def test_the_share_that_is_chosen_is_the_share_that_was_asked_for(seed: int, share: float) -> None:
    """Of 2,000 trials, within five standard deviations."""
    chosen = sum(is_chosen(seed, number, share) for number in range(2000))
    assert abs(chosen - 2000 * share) <= 5 * math.sqrt(2000 * share * (1 - share)) + 1


@given(seeds, st.integers(0, 10**6), shares, shares)
def test_a_larger_share_keeps_those_of_a_smaller_one(seed: int, number: int, one: float, other: float) -> None:
    assert is_chosen(seed, number, min(one, other)) <= is_chosen(seed, number, max(one, other))


def test_who_is_chosen_has_nothing_to_do_with_the_settings() -> None:
    """Both are drawn from seed and number; drawn alike, an audit would see the lowest rates only."""
    axis = FloatDistribution(0.0, 1.0)
    draws = [Uniform(7).point(number)("lr", axis) for number in range(2000) if is_chosen(7, number, 0.2)]
    assert abs(np.mean(draws) - 0.5) < 5 * math.sqrt(1 / 12 / len(draws))


def test_seeds_choose_differently() -> None:
    drawn = {tuple(is_chosen(seed, number, 0.5) for number in range(64)) for seed in range(50)}
    assert len(drawn) == 50
