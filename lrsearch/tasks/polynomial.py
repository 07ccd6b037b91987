"""The tutorial's regression problem: a polynomial of normal features, and a small network that learns it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from lrsearch.tasks.data import Data
from lrsearch.tasks.definition import task
from lrsearch.tasks.network import Activation, BatchNorm, Widths, multilayer_perceptron
from lrsearch.tasks.task import Task

HOLDOUT_SEED_OFFSET = 0x9E3779B9
"""Leads from the rows' seed to that of the holdout rows, far from any that a person counts up to."""

MOST_ROWS = 10**12


@task
def polynomial(
    *,
    rows: Annotated[int, Field(ge=2, le=MOST_ROWS)] = 1000,
    weights: Annotated[list[float], Field(min_length=1)] = [2.0, -1.0, 3.0, 1.0, 2.0],  # noqa: B006 (never changed)
    intercept: float | None = None,
    degree: Annotated[int, Field(ge=0, le=1000)] = 2,
    noise: Annotated[float, Field(ge=0)] = 0.01,
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 420,
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.3,
    holdout_rows: Annotated[int, Field(ge=0, le=MOST_ROWS)] = 300,
    hidden: Widths = [4, 4],  # noqa: B006 (never changed)
    activation: Activation = "tanh",
    batch_norm: BatchNorm = "pre",
) -> Task:
    """A polynomial of normal features with a little noise, learned by a small network.

    ``label = sum_i weights[i] * x_i ** degree (+ intercept) + noise * N(0, 1)`` with ``x_i ~ N(0, 1)``. With an
    intercept a column of ones is appended to the features. The holdout rows come from a generator of their own, so
    that the tutorial's random stream (rows, then the split) stays as it is.
    """
    generator = torch.Generator().manual_seed(seed)
    features, labels = _draw(generator, rows, weights, intercept, degree, noise)
    order = torch.randperm(rows, generator=generator)
    train_rows = min(max(rows - round(rows * test_fraction), 1), rows - 1)
    train, test = order[:train_rows], order[train_rows:]
    holdout: Data | None = None
    if holdout_rows:
        # torch's CPU generator looks at 32 bits of a seed only.
        own = torch.Generator().manual_seed((seed + HOLDOUT_SEED_OFFSET) % 2**32)
        holdout = _draw(own, holdout_rows, weights, intercept, degree, noise)
    return Task(
        model=partial(
            multilayer_perceptron, features.shape[1], hidden, 1, activation=activation, batch_norm=batch_norm
        ),
        train=(features[train], labels[train]),
        test=(features[test], labels[test]),
        holdout=holdout,
        loss="mse",
        metric="mse",
    )


def _draw(
    generator: torch.Generator, rows: int, weights: list[float], intercept: float | None, degree: int, noise: float
) -> tuple[Tensor, Tensor]:
    """Features [rows, features] and labels [rows, 1]."""
    features = torch.randn(rows, len(weights), generator=generator)
    labels = features.pow(degree) @ torch.tensor(weights).view(-1, 1)
    if intercept is not None:
        labels = labels + intercept
        features = torch.cat([features, torch.ones(rows, 1)], dim=1)
    return features, labels + noise * torch.randn(rows, 1, generator=generator)
