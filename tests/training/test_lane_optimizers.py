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
DECAYS = [0.0, 1e-6, 0.3, 1e-4, 0.02, 0.9]
MOMENTA = [0.0, 0.5, 0.9, 0.1, 0.99, 0.3]
BETAS = [[0.9, 0.999], [0.0, 0.9], [0.5, 0.5], [0.95, 0.98], [0.9, 0.0], [0.1, 0.7]]
OF_EACH_LANE: list[list[dict[str, Any]]] = [
    [{"weight_decay": decay, "momentum": momentum} for decay, momentum in zip(DECAYS, MOMENTA, strict=True)],
    [{"momentum": momentum + 0.001, "nesterov": True} for momentum in MOMENTA],
    [{"optimizer": "adam", "weight_decay": decay, "betas": betas} for decay, betas in zip(DECAYS, BETAS, strict=True)],
    [{"optimizer": "adamw", "weight_decay": decay} for decay in DECAYS],
    [{**SETTINGS[place], "weight_decay": decay} for place, decay in zip((6, 2, 0, 4, 3, 5), DECAYS, strict=True)],
]


@pytest.mark.parametrize("kind", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("settings", [*([own] * 6 for own in SETTINGS), *OF_EACH_LANE], ids=lambda own: str(own[1]))
def test_every_step_is_torchs(settings: list[dict[str, Any]], kind: torch.dtype) -> None:
    """Rates change at every step, and half of the lanes leave on the way; and lanes may differ in all."""
    sections = [TrainingSection(**own) for own in settings]
    generator = torch.Generator().manual_seed(1)
    lanes = torch.randn(6, 37, generator=generator, dtype=kind)
    ours, theirs = lanes.clone(), [torch.nn.Parameter(lane.clone()) for lane in lanes]
    optimizer = lane_optimizers.build(sections)
    peers = [optimizers.build(own, [lane], 0.1) for own, lane in zip(sections, theirs, strict=True)]
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
