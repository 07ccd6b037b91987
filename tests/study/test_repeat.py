"""What is read from a study is enough to do a trial again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import stored as studies
from lrsearch.study.repeat import repeatable
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition
from lrsearch.training.alone import train_alone
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.definition import parse
from lrsearch.training.engine import Engine, SequentialEngine
from lrsearch.training.loop import train

Define = Callable[..., Definition]


def finished(definition: Definition, engine: Engine | None = None) -> StoredStudy:
    stored = studies.create(open_storage("sqlite://"), definition, "mse")
    task = registry.tasks.get(definition.task.name).build(definition.task.options)
    list(Runner(stored, task, engine or SequentialEngine(), Interruption()).events())
    return stored


def test_every_trial_gives_its_value_again(define: Define) -> None:
    training = {"epochs": 4, "batch_size": 14, "seeds": [3, 4], "optimizer": "adam"}
    stored = finished(define(training=training, search={"schedulers": ["all"]}, pruner={"name": "none"}))
    for trial in stored.trials():
        again = repeatable(stored, trial.number)
        assert (again.threads, again.engine) == (1, "sequential")
        definition = parse(again.document, "test")
        records = list(train(definition.start(definition.build_task())))
        assert again.value == records[-1].test_metric
    best = min(stored.trials(), key=lambda trial: trial.value or 0.0)
    by_default = repeatable(stored, None)
    assert by_default.number is None
    assert by_default.recommended is not None
    assert by_default.recommended.number == best.number
    assert by_default.document == repeatable(stored, best.number).document


@pytest.mark.parametrize(("made", "every"), [(BatchedEngine, 1), (CompiledEngine, 11)])
def test_a_batched_trial_gives_its_curve_again_by_its_own_engine(
    define: Define, made: type[BatchedEngine], every: int
) -> None:
    """To the last bit, pruned trials included, although it had 22 others beside it."""
    training = {"epochs": 6, "batch_size": 14, "seeds": [3, 4, 5], "momentum": 0.9}
    study = {"name": "many", "trials": 23}
    stored = finished(define(study=study, training=training, search={"schedulers": ["all"]}), made())
    for trial in stored.trials()[::every]:
        again = repeatable(stored, trial.number)
        assert (again.engine, again.device, again.place) == (made.name, "cpu", 3 * trial.number)
        definition = parse(again.document, "test")
        run = definition.start(definition.build_task())
        records = list(train_alone(run, made(), again.place))
        assert run.records == records
        if again.value is not None:
            assert again.value == records[-1].test_metric
        rates = [record.lr for record in records[: len(trial.intermediate_values)]]
        assert trial.user_attrs["lr_curve"] == pytest.approx(rates, rel=1e-15)


def test_a_trial_whose_seeds_diverged_has_no_value_to_compare_with(define: Define) -> None:
    stored = finished(define(study={"name": "d", "trials": 1}, search={"lr": 1e25, "schedulers": ["constant"]}))
    assert repeatable(stored, 0).value is None
    with pytest.raises(InputError, match="no complete trial yet"):
        repeatable(stored, None)


def test_a_trial_without_settings_is_refused(define: Define) -> None:
    stored = studies.create(open_storage("sqlite://"), define(), "mse")
    stored.study.ask()
    with pytest.raises(InputError, match="trial 0 has no settings yet"):
        repeatable(stored, 0)
