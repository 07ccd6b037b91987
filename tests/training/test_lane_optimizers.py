"""Optimizers with a rate per lane against torch.optim, step by step, to the last bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lrsearch.study_file.model import TrainingSection
from lrsearch.training import lane_optimizers, optimizers

SETTINGS: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.03},
    {"momentum": 0.9},
    {"momentum": 0.7, "nesterov": True, "weight_decay": 0.01},
    {"optimizer": "adam"},
    {"optimizer": "adam", "weight_decay": 0.02, "betas": [0.5, 0.9], "eps": 1e-6},
    {"optimizer": "adamw", "weight_decay": 0.1},
]


@pytest.mark.parametrize("kind", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_every_step_is_torchs(settings: dict[str, Any], kind: torch.dtype) -> None:
    """Rates change at every step, and half of the lanes leave on the way."""
    training = TrainingSection(**settings)
    generator = torch.Generator().manual_seed(1)
    lanes = torch.randn(6, 37, generator=generator, dtype=kind)
    ours, theirs = lanes.clone(), [torch.nn.Parameter(lane.clone()) for lane in lanes]
    optimizer = lane_optimizers.build(training)
    peers = [optimizers.build(training, [lane], 0.1) for lane in theirs]
    for step in range(8):
        if step == 4:
            optimizer.take(torch.tensor([0, 3, 5]))
            ours, theirs, peers = ours[[0, 3, 5]], [theirs[i] for i in (0, 3, 5)], [peers[i] for i in (0, 3, 5)]
        gradients = torch.randn(len(theirs), 37, generator=generator, dtype=kind)
        rates = torch.rand(len(theirs), 1, generator=generator, dtype=torch.float64)
        optimizer.step(ours, gradients, rates)
        for lane, peer, gradient, rate in zip(theirs, peers, gradients, rates, strict=True):
            lane.grad = gradient
            peer.param_groups[0]["lr"] = float(rate)
            peer.step()
        assert torch.equal(ours, torch.stack([lane.detach() for lane in theirs]))
