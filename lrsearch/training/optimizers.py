"""The optimizer of a training section: made, and as lines of code. Imports torch only where it makes one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lrsearch import registry
from lrsearch.errors import Fault, InputError, input_error, nearest
from lrsearch.study_file.contestants import PACKAGES
from lrsearch.study_file.faults import show
from lrsearch.study_file.model import TrainingSection
from lrsearch.training.free_optimizers import PACKAGED

if TYPE_CHECKING:
    from torch.optim import Optimizer

LR_SCALE = "lr_scale"
"""Of a parameter group: what its rate is multiplied by."""
TYPED = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}
"""Those whose arguments are fields of the training section, and that a batch of networks can use."""
TORCH_CLASSES = {
    **TYPED, "adadelta": "Adadelta", "adafactor": "Adafactor", "adagrad": "Adagrad", "adamax": "Adamax", "asgd": "ASGD",
    "muon": "Muon", "nadam": "NAdam", "radam": "RAdam", "rmsprop": "RMSprop", "rprop": "Rprop",
    "sparseadam": "SparseAdam",
}  # fmt: skip
"""Name -> class of torch.optim, for code that is written where torch is not imported."""


def batched(training: TrainingSection) -> bool:
    """Whether a batch of networks has this optimizer, with these arguments.

    Args:
        training: The section that names it and its settings.
    """
    return training.optimizer in TYPED and not training.options


def arguments(training: TrainingSection) -> dict[str, Any]:
    """Keyword arguments of the class, without the learning rate.

    Args:
        training: The section that names the optimizer.
    """
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in training.options.items()}
    if training.optimizer not in TYPED:
        return options
    if training.optimizer == "sgd":
        own: dict[str, Any] = {"momentum": training.momentum, "nesterov": training.nesterov}
    else:
        own = {"betas": tuple(training.betas), "eps": training.eps}
    return {**own, "weight_decay": training.weight_decay, **options}


def build(training: TrainingSection, parameters: Iterable[Any], lr: float) -> Optimizer:
    """The optimizer.

    Args:
        training: The section that names it and its settings.
        parameters: What it updates, or groups of it; `set_rate` multiplies the rate by a group's ``lr_scale``.
        lr: Learning rate of the first update.

    Raises:
        InputError: It refuses its arguments, or these parameters.
    """
    from lrsearch.tasks.error_location import sentence

    make = registry.optimizers.get(training.optimizer).make
    try:
        made: Optimizer = make(parameters, lr=lr, **arguments(training))
    except InputError:
        raise
    except Exception as error:
        rule = f"cannot be made for this network: {sentence(error)}"
        raise input_error("[training]", rule, key="optimizer", received=show(training.optimizer)) from error
    _check_groups(training, made)
    set_rate(made, lr)
    return made


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Give every parameter group its rate.

    Args:
        optimizer: Any.
        rate: What the schedule says.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get(LR_SCALE, 1.0)


def _check_groups(training: TrainingSection, made: Optimizer) -> None:
    """Refuse arguments of a group that torch would keep and never look at."""
    known = [name for name in made.defaults if name != "lr"]
    unknown = dict.fromkeys(key for group in made.param_groups for key in group
                            if key not in (*made.defaults, "params", "param_names", LR_SCALE))  # fmt: skip
    if unknown:
        rule = f"{training.optimizer} has no such argument of a group"
        raise InputError("task", [Fault(f"parameters: {key}", rule, None, nearest(key, [*known, LR_SCALE]))
                                  for key in unknown])  # fmt: skip


def code(training: TrainingSection, lr: float, *, grouped: bool = False) -> str:
    """The lines of torch code that build it for a ``model``.

    Args:
        training: The section that names it and its settings.
        lr: Initial learning rate.
        grouped: Whether the task has parameter groups of its own.
    """
    parameters = "groups" if grouped else "model.parameters()"
    first = [_GROUPS.format(lr=repr(lr))] if grouped else []
    return "\n".join([*first, *_made(training, lr, parameters), *_remarks(training)])


def _made(training: TrainingSection, lr: float, parameters: str) -> Iterator[str]:
    defaults = _DEFAULTS if training.optimizer == "adamw" else {**_DEFAULTS, "weight_decay": 0.0}
    if training.optimizer not in TYPED:
        defaults = {}
    settings = {name: value for name, value in arguments(training).items() if value != defaults.get(name)}
    words = "".join(f", {name}={value!r}" for name, value in settings.items())
    if training.optimizer in TORCH_CLASSES:
        yield f"optimizer = torch.optim.{TORCH_CLASSES[training.optimizer]}({parameters}, lr={lr!r}{words})"
        return
    if (own := PACKAGED.get(training.optimizer)) is not None:
        yield f"from {PACKAGES[training.optimizer]} import {own.attribute}"
        yield f"optimizer = {own.attribute}({parameters}, lr={lr!r}{words})"
        return
    module, _, name = training.optimizer.rpartition(":")
    if not module:
        yield f'# `optimizer` is your own "{training.optimizer}", with lr={lr!r}{words}'
        return
    yield f"from {module.removesuffix('.py').replace('/', '.')} import {name}"
    yield f"optimizer = {name}({parameters}, lr={lr!r}{words})"


def _remarks(training: TrainingSection) -> Iterator[str]:
    """What the updates do beside the optimizer, for a loop that does it, too."""
    if (own := PACKAGED.get(training.optimizer)) is not None and own.has_modes:
        yield "# call optimizer.train() before each epoch, and optimizer.eval() before you evaluate or save the model"
    if training.accumulate > 1:
        yield f"# one update for every {training.accumulate} batches; a batch below means an update"
    if training.clip_norm is not None:
        yield f"# before each update: torch.nn.utils.clip_grad_norm_(model.parameters(), {training.clip_norm!r})"
    if training.precision != "float32":
        yield f"# forward passes within torch.autocast(device.type, torch.{training.precision})"
    if training.ema is not None:
        yield f"# evaluated weights: torch's AveragedModel with get_ema_multi_avg_fn({training.ema!r})"


_GROUPS = """\
# `groups` are the task's: parameters(model), in each "lr": {lr} * its lr_scale. A rate that the scheduler takes
# (max_lr, eta_min) is then a list, one for each group."""
# torch's own; adamw's weight_decay is not 0, so it is always written out.
_DEFAULTS = {"momentum": 0.0, "nesterov": False, "betas": (0.9, 0.999), "eps": 1e-8}
