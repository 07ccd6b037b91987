"""Real data sets that ship with scikit-learn, small enough for a laptop."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from lrsearch.tasks.definition import task
from lrsearch.tasks.network import Activation, BatchNorm, Widths, multilayer_perceptron
from lrsearch.tasks.task import Task

Share = Annotated[float, Field(gt=0, lt=0.5)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


@task
def diabetes(
    *,
    hidden: Widths = [32, 32],  # noqa: B006 (never changed)
    activation: Activation = "tanh",
    batch_norm: BatchNorm = "none",
    test_fraction: Share = 0.2,
    holdout_fraction: Share = 0.2,
    seed: Seed = 0,
) -> Task:
    """Disease progression of 442 patients from 10 measurements (regression, standardised).

    Features and target are standardised with the training rows' mean and standard deviation, so that an MSE of 1 is
    what guessing the mean gives. `seed` decides the split.
    """
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    inputs = torch.tensor(bunch.data, dtype=torch.float32)
    targets = torch.tensor(bunch.target, dtype=torch.float32).view(-1, 1)
    train, test, holdout = _split(len(inputs), test_fraction, holdout_fraction, seed)
    inputs, targets = _standardise(inputs, train), _standardise(targets, train)
    return Task(
        model=partial(multilayer_perceptron, 10, hidden, 1, activation=activation, batch_norm=batch_norm),
        train=(inputs[train], targets[train]),
        test=(inputs[test], targets[test]),
        holdout=(inputs[holdout], targets[holdout]),
        loss="mse",
        metric="mse",
    )


@task
def digits(
    *,
    hidden: Widths = [32],  # noqa: B006 (never changed)
    activation: Activation = "relu",
    batch_norm: BatchNorm = "none",
    test_fraction: Share = 0.2,
    holdout_fraction: Share = 0.2,
    seed: Seed = 0,
) -> Task:
    """Handwritten digits, 1797 images of 8 x 8 pixels (classification: cross-entropy, accuracy shown).

    Pixels are scaled to 0..1. `seed` decides the split.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    inputs = torch.tensor(bunch.data, dtype=torch.float32) / 16
    targets = torch.tensor(bunch.target, dtype=torch.long)
    train, test, holdout = _split(len(inputs), test_fraction, holdout_fraction, seed)
    return Task(
        model=partial(multilayer_perceptron, 64, hidden, 10, activation=activation, batch_norm=batch_norm),
        train=(inputs[train], targets[train]),
        test=(inputs[test], targets[test]),
        holdout=(inputs[holdout], targets[holdout]),
        loss="cross_entropy",
        metric="cross_entropy",
    )


def _split(rows: int, test: float, holdout: float, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Row numbers for training, test and holdout: disjoint, together all rows."""
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    held, tested = round(rows * holdout), round(rows * test)
    return order[held + tested :], order[held : held + tested], order[:held]


def _standardise(values: Tensor, train: Tensor) -> Tensor:
    """Columns with mean 0 and standard deviation 1 over the training rows; no other row is looked at."""
    return (values - values[train].mean(dim=0)) / values[train].std(dim=0)
