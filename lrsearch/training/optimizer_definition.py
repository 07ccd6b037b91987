"""An optimizer by name: a class of torch's or of a person's own, and the arguments that it takes."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import nn
from torch.optim import Optimizer

from lrsearch import registry
from lrsearch.errors import Fault, LrsearchError, nearest
from lrsearch.study_file.faults import show
from lrsearch.tasks.error_location import sentence

Make = TypeVar("Make", bound=Callable[..., Optimizer])
NOT_OFFERED = ("maximize", "capturable", "differentiable")
"""Arguments of torch's classes that do not belong to a study: the loss is minimised, by an ordinary loop."""


@dataclass(frozen=True)
class OptimizerDefinition:
    """What a name stands for in ``[training] optimizer``.

    Attributes:
        name: The name.
        make: The class, or a function: ``make(parameters, lr=..., **arguments)``.

    Raises:
        LrsearchError: At construction; it takes no learning rate, or its updates want a closure.
    """

    name: str
    make: Callable[..., Optimizer]

    def __post_init__(self) -> None:
        if not callable(self.make):
            raise LrsearchError(f"optimizer {self.name!r} must be a class of optimizers, not {self.make!r}")
        taken = list(inspect.signature(self.make).parameters.values())
        if not any(one.name == "lr" or one.kind is one.VAR_KEYWORD for one in taken):
            raise LrsearchError(f"optimizer {self.name!r} takes no argument lr, so no schedule can set its rate")
        if wants_closure(self.make):
            raise LrsearchError(f"optimizer {self.name!r}: {CLOSURE}")

    @cached_property
    def arguments(self) -> dict[str, inspect.Parameter]:
        """Name -> argument, without the parameters and the rate."""
        taken = list(inspect.signature(self.make).parameters.values())[1:]
        named = [one for one in taken if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
        return {one.name: one for one in named if one.name != "lr" and one.name not in NOT_OFFERED}

    @property
    def takes_anything(self) -> bool:
        """Whether it has ``**arguments``, whose names nobody can check."""
        return any(one.kind is one.VAR_KEYWORD for one in inspect.signature(self.make).parameters.values())

    def faults(
        self, options: Mapping[str, Any], further: Mapping[str, Any], others: Collection[str] = ()
    ) -> list[Fault]:
        """What is wrong with arguments: their names and kinds by the signature, their values by the class itself.

        Args:
            options: Argument -> value, as a file has it.
            further: Arguments that are known to be right one by one.
            others: Keys that may have been meant.
        """
        found = list(self._faults(options, further, others))
        if not found:
            try:
                self.build([nn.Parameter(torch.zeros(2, 2))], 0.1, {**further, **options})
            except Exception as error:
                found.append(Fault("", f"refuses its arguments: {sentence(error)}", show(self.name)))
        return found

    def build(self, parameters: Iterable[Any], lr: float, options: Mapping[str, Any]) -> Optimizer:
        """The optimizer.

        Args:
            parameters: Parameters, or groups of them.
            lr: Learning rate of the first update.
            options: Argument -> value, as a file has it.
        """
        return self.make(parameters, lr=lr, **as_arguments(options))

    def _faults(
        self, options: Mapping[str, Any], further: Mapping[str, Any], others: Collection[str]
    ) -> Iterator[Fault]:
        for name, value in options.items():
            argument = self.arguments.get(name)
            if argument is not None:
                if (rule := _rule(argument.default, value)) is not None:
                    yield Fault(name, f"{rule}, as an argument of {self.name}", show(value))
            elif not self.takes_anything or name in NOT_OFFERED:
                close = nearest(name, [*others, *self.arguments])
                rule = f"unknown key, here and as an argument of {self.name}"
                yield Fault(
                    name,
                    rule if close else f"{rule}; known: {', '.join([*others, *self.arguments])}",
                    show(value),
                    close,
                )
        for name, argument in self.arguments.items():
            if argument.default is argument.empty and name not in options and name not in further:
                yield Fault(name, f"is required by {self.name}")


CLOSURE = (
    "its step wants a closure that evaluates the loss again, which this loop does not give; "
    "tune it in a training loop of your own"
)


def optimizer(make: Make) -> Make:
    """Decorator that registers a class of optimizers, or a function that makes one, under its lower-case name.

    Args:
        make: ``make(parameters, lr=..., **arguments)``; its arguments are keys of ``[training]``.

    Returns:
        The same.

    Raises:
        LrsearchError: It takes no learning rate, its updates want a closure, or the name is taken.

    Example:
        >>> @lrsearch.optimizer
        ... class SignDescent(torch.optim.Optimizer): ...
    """
    name = make.__name__.lower()
    registry.optimizers.add(name, OptimizerDefinition(name, make))
    return make


def wants_closure(make: Callable[..., Any]) -> bool:
    """Whether updates of a class cannot do without a function that evaluates the loss again.

    Args:
        make: A class; nobody can tell of a function.
    """
    step = getattr(make, "step", None)
    if step is None:
        return False
    taken = list(inspect.signature(step).parameters.values())[1:]
    return any(one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD for one in taken)


def as_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a file as torch's classes take them: tuples instead of lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}


def _rule(default: object, value: object) -> str | None:
    """What a value must be to stand where a default stands; None if it is."""
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "must be true or false"
    if isinstance(default, (int, float)):
        return None if _is_number(value) else "must be a finite number"
    if isinstance(default, str):
        return None if isinstance(value, str) else "must be a text in quotes"
    if isinstance(default, (tuple, list)):
        fits = isinstance(value, list) and len(value) == len(default) and all(map(_is_number, value))
        return None if fits else f"must be a list of {len(default)} numbers"
    return "must be a number, a text, true or false, or a list" if isinstance(value, dict) else None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
