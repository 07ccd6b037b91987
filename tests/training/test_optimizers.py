"""The optimizers a study file may name."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lrsearch.study_file.model import TrainingSection
from lrsearch.training import optimizers


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-4},
        {"optimizer": "adam", "betas": [0.5, 0.9]},
        {"optimizer": "adamw", "eps": 1e-6},
    ],
)
def test_the_code_to_paste_builds_the_same_optimizer(settings: dict[str, Any]) -> None:
    training = TrainingSection(**settings)
    model = torch.nn.Linear(2, 1)
    ours = optimizers.build(training, model.parameters(), 0.05)
    scope = {"torch": torch, "model": model}
    exec(optimizers.code(training, 0.05), scope)
    theirs = scope["optimizer"]
    assert type(ours) is type(theirs)
    assert ours.defaults == theirs.defaults  # type: ignore[attr-defined]


def test_the_code_says_what_else_an_update_does() -> None:
    training = TrainingSection(clip_norm=0.5, accumulate=4, precision="bfloat16")
    remarks = optimizers.code(training, 0.05).splitlines()[1:]
    assert [line.startswith("# ") for line in remarks] == [True] * 3
    assert "every 4 batches" in remarks[0]
    assert "clip_grad_norm_(model.parameters(), 0.5)" in remarks[1]
    assert "autocast(device.type, torch.bfloat16)" in remarks[2]
