"""Settings for a whole generation, chosen in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import Trial, TrialState

from lrsearch import registry
from lrsearch.search import asking, pruning, sampling, standing, studies
from lrsearch.search.interruption import Interruption
from lrsearch.search.runner import Runner
from lrsearch.search.space import Space
from lrsearch.storage.choice import trial_store
from lrsearch.storage.liveness import Worker
from lrsearch.storage.rdb import open_storage
from lrsearch.study_file.model import Definition
from lrsearch.training.batched import BatchedEngine


@pytest.mark.parametrize(("trials", "size"), [(10, 64), (400, 100), (9999, 512)])
def test_a_generation_is_a_quarter_within_bounds(define: Callable[..., Definition], trials: int, size: int) -> None:
    assert asking.generation_size(define(study={"name": "s", "trials": trials})) == size
    assert asking.generation_size(define(sampler={"name": "tpe", "generation": 7})) == 7


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_one_by_one_or_together_is_the_same_for_the_first(
    define: Callable[..., Definition], tmp_path: Path, sampler: str
) -> None:
    """The mirror in memory answers as the study itself does; tried settings keep theirs."""
    definition = define(sampler={"name": sampler}, **{"try": [{"lr": 0.02, "scheduler": "constant"}]})
    storage = open_storage(f"sqlite:///{tmp_path}/s.db", create=True)
    stored = studies.create(storage, definition, "mse")
    stored.study.sampler = sampling.build(definition)
    space = Space.of(definition)
    claims = trial_store(stored.study, storage).claim(5, 6, Worker.this().as_dict())
    together = asking.ask(stored.study, stored.trials(), claims, space)
    assert next(own.params["lr"] for own in together.values()) == 0.02
    assert len({tuple(own.params.items()) for own in together.values()}) == 5
    alone = space.suggest(Trial(stored.study, claims[0].trial_id))
    assert together[claims[0]].params == stored.trials()[0].params
    assert alone.lr == 0.02


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
    counts = standing.count(stored)
    assert (counts.complete + counts.pruned, counts.running) == (40, 0)
    trials = stored.trials()
    assert {trial.user_attrs["engine"] for trial in trials} == {"batched"}
    for kind in ("constant", "lambda"):
        group = [trial for trial in trials if trial.params["scheduler"] == kind]
        for rung in (2, 4):
            there = [trial for trial in group if rung in trial.intermediate_values]
            ranked = sorted(there, key=lambda trial: (trial.intermediate_values[rung], trial.number))
            on = {trial.number for trial in there if max(trial.intermediate_values) > rung}
            if len(there) > pruning.StratifiedHalving.FREE:
                assert on == {trial.number for trial in ranked[: pruning.survivors(len(there), 0.333)]}
    done = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    assert done
    assert all(len(trial.user_attrs["train_curve"]) == 8 for trial in done)


def test_halving_leaves_small_groups_to_the_asynchronous_rule() -> None:
    values = {number: ("a" if number < 6 else "b", float(-number)) for number in range(9)}
    ended, compared = pruning.halve(values, 0.333)
    assert compared == {0, 1, 2, 3, 4, 5}
    assert ended == {0, 1, 2, 3}
    ended, _ = pruning.halve({0: ("a", float("nan")), **{n: ("a", float(n)) for n in range(1, 6)}}, 0.333)
    assert ended == {0, 3, 4, 5}
