"""Names of torch and Hugging Face stand for the same rates, as the installed packages compute them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler as native

from lrsearch.errors import InputError
from lrsearch.registry import schedules

transformers = pytest.importorskip("transformers.optimization")
LR = 0.1
Make = Callable[[torch.optim.Optimizer, int, int], Any]


def rates(make: Make, horizon: int, warmup: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler, found = make(optimizer, warmup, horizon), []
    for _ in range(horizon):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


HUGGING_FACE: dict[str, tuple[Make, dict[str, float]]] = {
    "constant": (lambda o, w, _: transformers.get_constant_schedule_with_warmup(o, w), {}),
    "linear": (lambda o, w, h: transformers.get_linear_schedule_with_warmup(o, w, h), {}),
    "cosine": (lambda o, w, h: transformers.get_cosine_schedule_with_warmup(o, w, h), {}),
    "cosine_with_min_lr": (
        lambda o, w, h: transformers.get_cosine_with_min_lr_schedule_with_warmup(o, w, h, min_lr_rate=0.1),
        {"final": 0.1},
    ),
    "cosine_with_restarts": (
        lambda o, w, h: transformers.get_cosine_with_hard_restarts_schedule_with_warmup(o, w, h, num_cycles=3),
        {"cycles": 3},
    ),
    "polynomial": (
        lambda o, w, h: transformers.get_polynomial_decay_schedule_with_warmup(o, w, h, lr_end=1e-7, power=2.0),
        {"exponent": 2.0, "final": 1e-7 / LR},
    ),
}
TORCH: dict[str, tuple[Make, dict[str, float]]] = {
    "ConstantLR": (lambda o, *_: native.ConstantLR(o, factor=1), {}),
    "LambdaLR": (lambda o, *_: native.LambdaLR(o, lambda t: 0.9**t), {"decay": 0.9}),
    "ExponentialLR": (lambda o, _, h: native.ExponentialLR(o, 0.1 ** (2 / h)), {"decades": 2.0}),
    "MultiStepLR": (lambda o, _, h: native.MultiStepLR(o, [round(h / 2), round(h * 3 / 4)]), {"milestones": 2}),
    "CosineAnnealingLR": (lambda o, _, h: native.CosineAnnealingLR(o, h), {}),
    "LinearLR": (lambda o, _, h: native.LinearLR(o, 1.0, 0.2, h), {"final": 0.2}),
    "PolynomialLR": (lambda o, _, h: native.PolynomialLR(o, h, power=2.0), {"exponent": 2.0}),
    "OneCycleLR": (
        lambda o, _, h: native.OneCycleLR(o, LR, total_steps=h, cycle_momentum=False),
        {"start": 1 / 25, "final": 1 / 25e4},
    ),
    "CyclicLR": (
        lambda o, _, h: native.CyclicLR(o, LR / 10, LR, step_size_up=h / 8, cycle_momentum=False),
        {"cycles": 4, "floor": 0.1},
    ),
}


@pytest.mark.parametrize("horizon", [1, 2, 3, 10, 31, 64, 100])
@pytest.mark.parametrize("fraction", [0.0, 0.2])
@pytest.mark.parametrize("name", HUGGING_FACE)
def test_hugging_faces_names(name: str, fraction: float, horizon: int) -> None:
    """The rates are equal after the warm-up, which begins at 0 there and at 1 / (w + 1) here."""
    make, values = HUGGING_FACE[name]
    schedule = schedules.get(name).of({**values, "warmup_fraction": fraction})
    warmup = schedule.warmup_steps(horizon)
    theirs = rates(make, horizon, warmup)[warmup:]
    ours = [LR * schedule.factor(t, horizon) for t in range(warmup, horizon)]
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("horizon", [2, 3, 10, 31, 64, 100])
@pytest.mark.parametrize("name", TORCH)
def test_torchs_names(name: str, horizon: int) -> None:
    """But for milestones that fall on one step, where torch's class drops more than once."""
    if (name, horizon) == ("MultiStepLR", 3):
        return
    make, values = TORCH[name]
    schedule = schedules.get(name).of(values)
    ours = [LR * schedule.factor(t, horizon) for t in range(horizon)]
    assert ours == pytest.approx(rates(make, horizon, 0), rel=1e-7, abs=1e-15)


def test_every_alias_is_compared() -> None:
    """`ReduceLROnPlateau`, and its name at Hugging Face, are compared with metrics in `test_families`."""
    aliases = {alias for name in schedules for alias in schedules.aliases_of(name)}
    assert aliases - {"ReduceLROnPlateau", "reduce_lr_on_plateau"} <= {*HUGGING_FACE, *TORCH}


@pytest.mark.parametrize(
    "name",
    [
        "StepLR",
        "CosineAnnealingWarmRestarts",
        "constant_with_warmup",
        "cosine_warmup_with_min_lr",
        "warmup_stable_decay",
    ],
)
def test_name_with_other_rates_says_what_to_write(name: str) -> None:
    for ask in (schedules.get, lambda one: schedules.expand([one])):
        with pytest.raises(InputError, match=r'unknown scheduler; write "[a-z_]+"'):
            ask(name)
