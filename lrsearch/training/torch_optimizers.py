"""The optimizers of torch, by their lower-case names. Importing this file registers them.

They are every class of `torch.optim` that takes a learning rate and updates without a closure. A name with a colon,
``module:Class``, stands for a class of an imported module or of a loaded file; `free_optimizers` has some more.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from torch import optim

from lrsearch import registry
from lrsearch.errors import LrsearchError, input_error, nearest
from lrsearch.tasks import loading
from lrsearch.training import free_optimizers
from lrsearch.training.optimizer_definition import CLOSURE, OptimizerDefinition, wants_closure
from lrsearch.training.optimizers import TYPED


def torch_classes() -> Iterator[type[optim.Optimizer]]:
    """Every class of `torch.optim` that takes a learning rate; those that files name most often come first."""
    for name in [*TYPED.values(), *(name for name in dir(optim) if name not in TYPED.values())]:
        found = getattr(optim, name)
        if isinstance(found, type) and "lr" in inspect.signature(found).parameters:
            yield found


def named(name: str) -> OptimizerDefinition | None:
    """The optimizer that ``module:Class`` or the name of a known package's stands for.

    Nothing that a name can choose is imported: a stored study must not make a process do so.

    Args:
        name: Any name.

    Returns:
        The optimizer; None if the name has no colon.

    Raises:
        InputError: Its updates want a closure, the module was not loaded or has no such class, that is no optimizer
            that the loop can use, or its package is not installed.
    """
    if name.lower() in _WITH_CLOSURE:
        raise input_error("optimizer", CLOSURE, received=f'"{name}"')
    if name.lower() in free_optimizers.PACKAGED:
        return OptimizerDefinition(name.lower(), free_optimizers.make(name.lower()))
    source, _, attribute = name.rpartition(":")
    if not source:
        return None
    module = loading.loaded(source)
    if module is None:
        rule = f"{source} was not loaded: name it with --load {source}, or in the study file that you run"
        raise input_error("optimizer", rule, received=f'"{name}"')
    make = getattr(module, attribute, None)
    if make is None:
        there = [own for own, value in vars(module).items() if isinstance(value, type)]
        raise input_error("optimizer", f"{source} has no {attribute}", received=f'"{name}"',
                          nearest=nearest(attribute, there))  # fmt: skip
    try:
        return OptimizerDefinition(name, make)
    except LrsearchError as error:
        raise input_error("optimizer", str(error), received=f'"{name}"') from None


_WITH_CLOSURE = {own.__name__.lower() for own in torch_classes() if wants_closure(own)}
for _class in torch_classes():
    _name = _class.__name__
    if _name.lower() not in _WITH_CLOSURE:
        registry.optimizers.add(_name.lower(), OptimizerDefinition(_name.lower(), _class), aliases=[_name])
registry.optimizers.look_beyond(named)
