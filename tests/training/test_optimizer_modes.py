"""Optimizers that train with other weights than those that count: the loop does what their authors' loop does."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from workloads import regression

from lrsearch import registry
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.choice import choose
from lrsearch.training.evaluation import evaluate
from lrsearch.training.loop import start, train, update, updates
from lrsearch.training.second_look import look

EPOCHS, SIZE = 3, 16


@pytest.fixture(scope="module")
def task() -> Task:
    return regression(lambda: torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)))


def section(name: str, **options: Any) -> TrainingSection:
    return TrainingSection(optimizer=name, options=options, epochs=EPOCHS, batch_size=SIZE)


@pytest.mark.parametrize("name", ["schedule_free_adamw", "schedule_free_sgd", "prodigy"])
def test_it_is_trained_and_looked_at_as_in_a_plain_loop(task: Task, name: str) -> None:
    """The plain loop calls ``train()`` and ``eval()`` where the package's README does."""
    run = start(task, registry.schedules.get("constant").of({}), 0.01, section(name), seed=3)
    plain = start(task, run.schedule, 0.01, section(name), seed=3)
    model, optimizer = plain.model, plain.optimizer
    modes = hasattr(optimizer, "train")
    assert modes == name.startswith("schedule_free")
    for record in train(run):
        if modes:
            optimizer.train()  # type: ignore[attr-defined]
        first = (record.epoch - 1) * plain.updates_per_epoch
        for number in range(first, first + plain.updates_per_epoch):
            ((inputs, targets),) = plain.batches.update(number, plain.order)
            model.train()
            optimizer.zero_grad()
            task.loss_function(model(inputs), targets).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        trained = {key: value.clone() for key, value in model.state_dict().items()}
        if modes:
            optimizer.eval()  # type: ignore[attr-defined]
        assert isinstance(task.test, tuple)
        assert evaluate(model, task.test, {"m": task.metric_function})["m"] == record.test_metric
        assert all(torch.equal(run.model.state_dict()[key], value) for key, value in model.state_dict().items())
        moved = any(not torch.equal(trained[key], value) for key, value in model.state_dict().items())
        assert moved == modes, "the weights that count are others than those that were trained"


def test_a_pass_that_is_broken_off_leaves_the_weights_that_count(task: Task) -> None:
    """As lr-find breaks one off: a short run is looked at right after its last update."""
    training = section("schedule_free_sgd").model_copy(update={"epochs": 13})
    brief = next(look(task, training, (0.01, 1.0), 52, [3]))
    longer = training.model_copy(update={"epochs": 14})
    run = start(task, registry.schedules.get("constant").of({}), brief.lr, longer, seed=3)
    assert run.updates_per_epoch * training.epochs == 52
    assert list(train(run, 13))[-1].test_metric == brief.value
    for _ in updates(run):
        break
    after = start(task, run.schedule, brief.lr, longer, seed=3)
    list(train(after, 13))
    after.optimizer.train()  # type: ignore[attr-defined]
    update(after, 0, after.batches.update(52, after.order))
    after.optimizer.eval()  # type: ignore[attr-defined]
    assert torch.equal(run.model[0].weight, after.model[0].weight)  # type: ignore[index, union-attr]


def test_a_batch_of_networks_has_none_of_them(task: Task) -> None:
    chosen = choose("auto", task, section("prodigy"), "cpu")
    assert (chosen.engine, "prodigy" in chosen.reason) == ("sequential", True)
