"""Optimizers that need no tuned rate, by short names. Their packages are imported when a name is asked for, not before.

Sources: Mishchenko and Defazio, "Prodigy: an expeditiously adaptive parameter-free learner" (2024), package prodigyopt;
Defazio et al., "The road less scheduled" (2024), package schedulefree.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from lrsearch.errors import input_error
from lrsearch.study_file.contestants import PACKAGES, is_installed, missing

if TYPE_CHECKING:
    from torch.optim import Optimizer


@dataclass(frozen=True)
class Packaged:
    """A class of optimizers in a package of somebody else's.

    Attributes:
        attribute: The class.
        has_modes: Whether it has to be told when training begins and ends; see `optimizer_modes`.
    """

    attribute: str
    has_modes: bool = False


PACKAGED = {
    "prodigy": Packaged("Prodigy"),
    "schedule_free_adamw": Packaged("AdamWScheduleFree", has_modes=True),
    "schedule_free_sgd": Packaged("SGDScheduleFree", has_modes=True),
}
"""Name in ``[training] optimizer`` -> its class; `PACKAGES` says in which package that is."""


def make(name: str) -> Callable[..., Optimizer]:
    """The class of an optimizer, or a function with its signature.

    Args:
        name: One of `PACKAGED`.

    Raises:
        InputError: Its package is not installed.
    """
    if not is_installed(name):
        raise input_error("optimizer", missing(name), received=f'"{name}"')
    package = importlib.import_module(PACKAGES[name])
    made: Callable[..., Optimizer] = getattr(package, PACKAGED[name].attribute)
    return _silent(made) if name == "prodigy" else made


def _silent(made: Callable[..., Optimizer]) -> Callable[..., Optimizer]:
    """The same without a word on stdout, where results go: Prodigy prints that it decays weights."""

    @wraps(made, updated=())
    def build(parameters: Iterable[Any], *rest: Any, **arguments: Any) -> Optimizer:
        with redirect_stdout(io.StringIO()):
            return made(parameters, *rest, **arguments)

    return build
