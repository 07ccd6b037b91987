"""torch's optimizers, from the training section of a study file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lrsearch.study_file.model import TrainingSection

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

_CLASSES = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}


def arguments(training: TrainingSection) -> dict[str, Any]:
    """Keyword arguments of the torch class, without the learning rate.

    Args:
        training: The section that names the optimizer.
    """
    if training.optimizer == "sgd":
        return {
            "momentum": training.momentum,
            "nesterov": training.nesterov,
            "weight_decay": training.weight_decay,
        }
    return {"betas": tuple(training.betas), "eps": training.eps, "weight_decay": training.weight_decay}


def build(training: TrainingSection, parameters: Iterable[nn.Parameter], lr: float) -> Optimizer:
    """The optimizer, with one parameter group.

    Args:
        training: The section that names it and its settings.
        parameters: What it updates.
        lr: Learning rate of the first update.
    """
    import torch

    made: Optimizer = getattr(torch.optim, _CLASSES[training.optimizer])(parameters, lr=lr, **arguments(training))
    return made


def code(training: TrainingSection, lr: float) -> str:
    """The line of torch code that builds it for a ``model``.

    Args:
        training: The section that names it and its settings.
        lr: Initial learning rate.
    """
    defaults = _DEFAULTS if training.optimizer == "adamw" else {**_DEFAULTS, "weight_decay": 0.0}
    settings = {name: value for name, value in arguments(training).items() if value != defaults.get(name)}
    words = "".join(f", {name}={value!r}" for name, value in settings.items())
    return f"optimizer = torch.optim.{_CLASSES[training.optimizer]}(model.parameters(), lr={lr!r}{words})"


# torch's own; adamw's weight_decay is not 0, so it is always written out.
_DEFAULTS = {"momentum": 0.0, "nesterov": False, "betas": (0.9, 0.999), "eps": 1e-8}
