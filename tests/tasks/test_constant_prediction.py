"""The best constant prediction, by the task's own metric."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

from lrsearch.tasks.constant_prediction import constant_prediction
from lrsearch.tasks.metrics import Metric
from lrsearch.tasks.task import Task

GENERATOR = torch.Generator().manual_seed(2)
INPUTS = torch.randn(60, 3, generator=GENERATOR)
NUMBERS = torch.randn(60, 2, generator=GENERATOR).exp()
CLASSES = torch.tensor([0, 0, 1, 0, 2, 0] * 10)


def task(metric: Metric | str, targets: Tensor, outputs: int, loss: Metric | str = "mse") -> Task:
    train, rest = (INPUTS[:40], targets[:40]), (INPUTS[40:], targets[40:])
    return Task(lambda: nn.Linear(3, outputs), train, rest, loss, metric)


@pytest.mark.parametrize(("metric", "name", "constant"), [("mse", "mean", np.mean), ("mae", "median", np.median)])
def test_numbers_are_predicted_by_their_mean_or_median(metric: str, name: str, constant: Any) -> None:
    own = task(metric, NUMBERS, 2)
    found = constant_prediction(own, own.test)
    assert found is not None
    assert found.name == f"the {name} of the training targets"
    away = NUMBERS[40:].numpy() - constant(NUMBERS[:40].numpy(), axis=0)
    assert found.value == pytest.approx(float(np.mean(away**2 if metric == "mse" else abs(away))), rel=1e-5)
    assert len(found.blocks) == 20
    assert np.mean(found.blocks) == pytest.approx(found.value)


def test_classes_are_predicted_by_their_shares_or_the_most_common_one() -> None:
    """One class in four is not in the training rows, and counts half a row."""
    shares = task("cross_entropy", CLASSES, 4, "cross_entropy")
    found = constant_prediction(shares, shares.test)
    assert found is not None
    assert found.name == "the class shares of the training rows"
    counts = np.bincount(CLASSES[:40], minlength=4).clip(0.5)
    assert found.value == pytest.approx(-np.log(counts / counts.sum())[CLASSES[40:]].mean(), rel=1e-5)
    commonest = task("error", CLASSES, 4, "cross_entropy")
    found = constant_prediction(commonest, commonest.test)
    assert found is not None
    assert found.name == "the most common class of the training rows"
    assert found.value == pytest.approx(float((CLASSES[40:] != 0).float().mean()))


def test_classes_at_several_places_of_a_row() -> None:
    places = torch.randint(0, 3, (60, 5), generator=GENERATOR)
    data = INPUTS, places
    own = Task(lambda: nn.Sequential(nn.Linear(3, 15), nn.Unflatten(1, (3, 5))), data, data, "cross_entropy", "error")
    found = constant_prediction(own, data)
    assert found is not None
    assert found.value == pytest.approx(1 - float(torch.bincount(places.flatten()).max()) / places.numel())


def test_an_own_metric_gets_the_best_of_what_fits() -> None:
    def pinball(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).abs().mean()

    def negative(outputs: Tensor, targets: Tensor) -> Tensor:
        return -(outputs - targets).square().mean()

    lucky = (NUMBERS[:, :1] > 1.5).float()
    for metric, targets, outputs, maximise, name in (
        (pinball, NUMBERS, 2, False, "the median of the training targets"),
        (negative, NUMBERS, 2, True, "the mean of the training targets"),
        (functional.binary_cross_entropy_with_logits, lucky, 1, False, "the logit of the mean of the training targets"),
        (lambda o, y: functional.nll_loss(o.log_softmax(1), y), CLASSES, 4, False,
         "the class shares of the training rows"),
    ):  # fmt: skip
        own = task(metric, targets, outputs, metric)
        found = constant_prediction(own, own.test, maximise=maximise)
        assert found is not None
        assert found.name == name


class Stream(Dataset[Any]):
    """Read by a DataLoader, for its rows draw random numbers."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return INPUTS[row] + torch.randn(3), NUMBERS[row]


def test_there_is_none_where_nothing_fits_fails_or_is_finite() -> None:
    def fails(outputs: Tensor, targets: Tensor) -> Tensor:
        raise ValueError

    def infinite(outputs: Tensor, targets: Tensor) -> Tensor:
        return ((outputs - targets) / 0).mean()

    def any_shape(outputs: Tensor, _: Tensor) -> Tensor:
        return outputs.mean()

    for own in (task(fails, NUMBERS, 2), task(infinite, NUMBERS, 2), task(any_shape, NUMBERS, 7)):
        assert constant_prediction(own, own.test) is None
    streamed = Task(lambda: nn.Linear(3, 2), Stream(), (INPUTS, NUMBERS), "mse", "mse")
    assert constant_prediction(streamed, streamed.test) is None


def test_it_draws_from_no_random_stream() -> None:
    own = task("mse", NUMBERS, 2)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    constant_prediction(own, own.test)
    assert torch.equal(torch.rand(3), expected)
