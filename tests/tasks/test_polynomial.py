"""The tutorial's task: data, split and network."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lrsearch import registry
from lrsearch.errors import InputError
from lrsearch.tasks.task import Task


def build(**options: object) -> Task:
    task: Task = registry.tasks.get("polynomial").build(options)
    return task


def test_data_are_the_tutorials() -> None:
    """One stream: rows, noise, split."""
    torch.manual_seed(420)
    features = torch.randn(1000, 5)
    labels = features.pow(2) @ torch.tensor([[2.0], [-1.0], [3.0], [1.0], [2.0]]) + 0.01 * torch.randn(1000, 1)
    train, test = torch.utils.data.random_split(torch.utils.data.TensorDataset(features, labels), [700, 300])
    task = build()
    assert torch.equal(task.train[0], features[train.indices])
    assert torch.equal(task.train[1], labels[train.indices])
    assert torch.equal(task.test[0], features[test.indices])


def test_holdout_comes_from_its_own_generator() -> None:
    with_holdout, without = build(), build(holdout_rows=0)
    assert without.holdout is None
    assert with_holdout.holdout is not None
    assert with_holdout.holdout[0].shape == (300, 5)
    assert torch.equal(with_holdout.train[0], without.train[0])
    seen = torch.cat([with_holdout.train[0], with_holdout.test[0]])
    assert not (with_holdout.holdout[0][:, None] == seen[None]).all(-1).any()


def test_every_number_is_an_option() -> None:
    task = build(rows=40, weights=[1.0, 2.0], intercept=5.0, degree=3, noise=0.0, seed=1, test_fraction=0.25)
    inputs, targets = task.train
    assert inputs.shape == (30, 3)
    assert torch.equal(inputs[:, 2], torch.ones(30))
    assert torch.allclose(targets, (inputs[:, :2].pow(3) @ torch.tensor([[1.0], [2.0]])) + 5)


@pytest.mark.parametrize(
    ("batch_norm", "kinds"),
    [
        ("none", [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]),
        ("pre", [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Linear]),
        ("post", [nn.Linear, nn.ReLU, nn.BatchNorm1d, nn.Linear, nn.ReLU, nn.BatchNorm1d, nn.Linear]),
    ],
)
def test_network(batch_norm: str, kinds: list[type[nn.Module]]) -> None:
    model = build(batch_norm=batch_norm, activation="relu", hidden=[4, 4]).model()
    assert [type(layer) for layer in model.children()] == kinds


def test_wrong_options_are_named_together() -> None:
    with pytest.raises(InputError) as caught:
        build(rowz=3, degree="two", batch_norm="before", noise=-1.0)
    keys = {fault.key for fault in caught.value.faults}
    assert keys == {"task.rowz", "task.degree", "task.batch_norm", "task.noise"}
    assert "rows" in str(caught.value)
