"""The tasks on real data: disjoint seeded splits, and no look at rows that must not be seen."""

from __future__ import annotations

import pytest
import torch

from lrsearch import registry
from lrsearch.tasks.data import Data
from lrsearch.tasks.task import Task

ROWS = {"diabetes": 442, "digits": 1797}


def build(name: str, **options: object) -> Task:
    task: Task = registry.tasks.get(name).build(options)
    return task


def parts(task: Task) -> list[Data]:
    assert task.holdout is not None
    return [task.train, task.test, task.holdout]


@pytest.mark.parametrize("name", ROWS)
def test_splits_are_disjoint_and_complete(name: str) -> None:
    rows = torch.cat([part[0] for part in parts(build(name))])
    assert len(rows) == ROWS[name]
    assert len(torch.unique(rows, dim=0)) == ROWS[name]


@pytest.mark.parametrize("name", ROWS)
def test_the_seed_decides_the_split(name: str) -> None:
    assert torch.equal(build(name).test[1], build(name, seed=0).test[1])
    assert not torch.equal(build(name).test[0], build(name, seed=1).test[0])


def test_diabetes_is_standardised_with_training_rows_alone() -> None:
    inputs, targets = build("diabetes").train
    for values in (inputs, targets):
        assert torch.allclose(values.mean(dim=0), torch.zeros(values.shape[1]), atol=1e-5)
        assert torch.allclose(values.std(dim=0), torch.ones(values.shape[1]), atol=1e-5)
    assert not torch.allclose(build("diabetes").test[0].mean(dim=0), torch.zeros(10), atol=1e-3)


def test_digits_show_accuracy_and_optimise_cross_entropy() -> None:
    task = build("digits")
    assert (task.metric_name, list(task.extra)) == ("cross_entropy", ["accuracy"])
    assert task.model()(task.train[0][:3]).shape == (3, 10)
    assert 0 <= float(task.train[0].min()) <= float(task.train[0].max()) <= 1
