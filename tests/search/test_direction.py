"""A study that maximises ``-m`` is the mirror of one that minimises ``m``: same decisions, other sign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from forgotten import forgotten
from torch import Tensor
from torch.nn import functional

import lrsearch
from lrsearch import registry
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import stored as studies
from lrsearch.study.stored import StoredStudy
from lrsearch.study_file.model import Definition
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.engine import Engine, SequentialEngine

PRUNERS: list[dict[str, Any]] = [
    {"name": "halving", "audit": 0.5},
    {"name": "median", "startup_trials": 2, "warmup_epochs": 1},
    {"name": "hyperband", "min_epochs": 1},
]


def falls(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.mse_loss(outputs, targets)


def grows(outputs: Tensor, targets: Tensor) -> Tensor:
    return -falls(outputs, targets)


def searched(definition: Definition, engine: Engine, direction: Literal["minimize", "maximize"]) -> StoredStudy:
    whole = registry.tasks.get(definition.task.name).build(definition.task.options)
    task: Task = replace(whole, metric=grows if direction == "maximize" else falls, direction=direction)
    stored = studies.create(open_storage("sqlite://"), definition, "m", direction=direction)
    list(Runner(stored, task, engine, Interruption()).events())
    return stored


@pytest.mark.parametrize("pruner", PRUNERS, ids=lambda pruner: pruner["name"])
@pytest.mark.parametrize("engine", [SequentialEngine, BatchedEngine])
def test_a_mirrored_metric_gives_the_mirrored_study(
    engine: Callable[[], Engine], pruner: dict[str, Any], define: Callable[..., Definition]
) -> None:
    definition = define(
        study={"name": "mirrored", "trials": 16},
        training={"epochs": 4},
        search={"schedulers": ["constant", "plateau"], "lr": {"low": 1e-3, "high": 3.0, "log": True}},
        sampler={"name": "tpe", "generation": 8},
        pruner=pruner,
    )
    down, up = (searched(definition, engine(), direction) for direction in ("minimize", "maximize"))
    assert [trial.params for trial in down.trials()] == [trial.params for trial in up.trials()]
    assert [trial.state for trial in down.trials()] == [trial.state for trial in up.trials()]
    for one, other in zip(down.trials(), up.trials(), strict=True):
        assert one.user_attrs["lr_curve"] == other.user_attrs["lr_curve"], "plateau drops at the same epochs"
        assert [-value for value in other.intermediate_values.values()] == list(one.intermediate_values.values())
        assert other.user_attrs.get("audit_value") == (
            None if one.user_attrs.get("audit_value") is None else -one.user_attrs["audit_value"]
        )
    assert down.study.best_trial.number == up.study.best_trial.number


def registered(direction: Literal["minimize", "maximize"]) -> None:
    """The tutorial's task under a name of its own, with holdout rows."""
    whole = registry.tasks.get("polynomial").build({"rows": 60, "holdout_rows": 20})

    def mirrored() -> lrsearch.Task:
        metric = grows if direction == "maximize" else falls
        return replace(whole, metric=metric, direction=direction, extra={})

    mirrored.__name__ = direction
    lrsearch.task(mirrored)


def test_the_recommendation_and_its_words_are_mirrored(tmp_path: Path, define: Callable[..., Definition]) -> None:
    """Confirmed on holdout rows, recommended, and told: the same settings, with numbers of the other sign."""
    found, heads = {}, {}
    with forgotten(tmp_path):
        for direction in ("minimize", "maximize"):
            registered(direction)
            document = define(
                study={"name": direction, "trials": 12},
                task={"name": direction},
                search={"schedulers": ["constant", "cosine"]},
                pruner={"name": "none"},
                confirm={"top": 2, "seeds": 3, "margin": 0.01, "contestants": []},
            ).document()
            study = lrsearch.run_study(lrsearch.create_study(document, storage=f"sqlite:///{tmp_path}/{direction}.db"))
            found[direction] = lrsearch.best_settings(study)
            heads[direction] = lrsearch.write_report(study, output=tmp_path / direction).read_text().split("\n")[2]
    down, up = found["minimize"], found["maximize"]
    assert (down.direction, up.direction) == ("minimize", "maximize")
    assert (up.params, up.learned) == (down.params, down.learned)
    assert (up.value, up.expected) == (pytest.approx(-down.value), pytest.approx(-down.expected))
    assert up.constant is not None
    assert down.constant is not None
    assert up.constant.params == down.constant.params
    assert up.constant.difference == pytest.approx(down.constant.difference)
    assert heads["maximize"].replace("higher", "lower").replace("value", "error") == heads["minimize"]
