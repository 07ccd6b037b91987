"""Our BatchNorm computes what torch's does, statistics and gradients included."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from lrsearch.training.batch_norm import batch_norm

SHAPES = [(6, 3), (5, 3, 4), (4, 3, 2, 5)]


def numbers(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(len(shape)))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_equals_torch(shape: tuple[int, ...], tracked: bool, affine: bool, training: bool) -> None:
    training = training or not tracked
    results = []
    for normalise in (functional.batch_norm, batch_norm):
        rows = numbers(*shape).requires_grad_()
        statistics = [numbers(3), numbers(3).abs()] if tracked else [None, None]
        scale = [numbers(3).requires_grad_(), (2 * numbers(3)).requires_grad_()] if affine else [None, None]
        out = normalise(rows, *statistics, *scale, training=training, momentum=0.3, eps=1e-3)  # type: ignore[operator]
        out.pow(3).sum().backward()
        gradients = [part.grad for part in (rows, *scale) if part is not None]
        results.append([out.detach(), *gradients, *(part for part in statistics if part is not None)])
    torch.testing.assert_close(results[1], results[0], rtol=1e-10, atol=1e-12)
