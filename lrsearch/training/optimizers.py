"""torch's optimizers, from the training section of a study file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    """The lines of torch code that build it for a ``model``.

    Args:
        training: The section that names it and its settings.
        lr: Initial learning rate.
    """
    defaults = _DEFAULTS if training.optimizer == "adamw" else {**_DEFAULTS, "weight_decay": 0.0}
    settings = {name: value for name, value in arguments(training).items() if value != defaults.get(name)}
    words = "".join(f", {name}={value!r}" for name, value in settings.items())
    made = f"optimizer = torch.optim.{_CLASSES[training.optimizer]}(model.parameters(), lr={lr!r}{words})"
    return "\n".join([made, *_remarks(training)])


def _remarks(training: TrainingSection) -> Iterator[str]:
    """What the updates do beside the optimizer, for a loop that does it, too."""
    if training.accumulate > 1:
        yield f"# one update for every {training.accumulate} batches; a batch below means an update"
    if training.clip_norm is not None:
        yield f"# before each update: torch.nn.utils.clip_grad_norm_(model.parameters(), {training.clip_norm!r})"
    if training.precision != "float32":
        yield f'# forward passes within torch.autocast("cuda", torch.{training.precision})'


# torch's own; adamw's weight_decay is not 0, so it is always written out.
_DEFAULTS = {"momentum": 0.0, "nesterov": False, "betas": (0.9, 0.999), "eps": 1e-8}
