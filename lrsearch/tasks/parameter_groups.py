"""Parameter groups of a task: which parameters learn faster or slower than others, or with another weight decay."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from lrsearch.errors import Fault, InputError, input_error
from lrsearch.tasks.data import kinds
from lrsearch.tasks.error_location import sentence

Groups = Callable[[nn.Module], Iterable[Mapping[str, Any]]]
"""A network -> its groups: ``params``, ``lr_scale`` (1 if it is left out), and arguments of the optimizer."""
LR_SCALE = "lr_scale"
"""A group's rate is the schedule's times this."""
KEY = "parameters"


def groups_of(make: Groups | None, model: nn.Module) -> list[dict[str, Any]]:
    """The parameter groups of a network, each parameter once, as an optimizer takes them.

    Args:
        make: The task's `parameters`; None for one group of all.
        model: The network.

    Returns:
        Groups with ``params`` as lists of parameters. Parameters that are frozen need not be in one.

    Raises:
        InputError: They are no groups, a rate is wrong, or a parameter that is trained is missing or there twice.
    """
    if make is None:
        return [{"params": list(model.parameters())}]
    try:
        groups = [_as_dictionary(group) for group in make(model)]
    except InputError:
        raise
    except Exception as error:
        raise input_error("task", f"fails: {sentence(error)}", key=KEY) from error
    faults = [fault for number, group in enumerate(groups) for fault in _rate_faults(number, group)]
    faults += _membership_faults(groups, model)
    if faults:
        raise InputError("task", faults)
    return groups


def _as_dictionary(group: object) -> dict[str, Any]:
    if not isinstance(group, Mapping) or "params" not in group:
        rule = 'each group must be a dictionary with "params", such as {"params": model.head.parameters()}'
        raise input_error("task", rule, key=KEY, received=kinds(group))
    given = group["params"]
    # torch takes names with parameters, too; nothing here needs them.
    members = [
        part[1] if isinstance(part, tuple) else part for part in ([given] if isinstance(given, Tensor) else given)
    ]
    wrong = next((member for member in members if not isinstance(member, Tensor)), None)
    if wrong is not None:
        raise input_error("task", "params must be parameters of the model", key=KEY, received=kinds(wrong))
    return {**group, "params": members}


def _rate_faults(number: int, group: Mapping[str, Any]) -> Iterator[Fault]:
    if "lr" in group:
        rule = f"the study sets the rate; write {LR_SCALE}, by which the rate of this group is multiplied"
        yield Fault(f"{KEY}[{number}].lr", rule, repr(group["lr"]))
    scale = group.get(LR_SCALE, 1.0)
    if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not math.isfinite(scale) or scale <= 0:
        rule = "must be a number larger than 0; what shall not learn has requires_grad_(False)"
        yield Fault(f"{KEY}[{number}].{LR_SCALE}", rule, repr(scale))


def _membership_faults(groups: list[dict[str, Any]], model: nn.Module) -> Iterator[Fault]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    places: dict[int, list[int]] = {}
    for number, group in enumerate(groups):
        for member in group["params"]:
            places.setdefault(id(member), []).append(number)
    for number in sorted({number for member, at in places.items() if member not in names for number in at}):
        yield Fault(f"{KEY}[{number}]", "has a parameter that is none of the model's")
    twice = [f"{names[member]} (groups {', '.join(map(str, at))})" for member, at in places.items()
             if len(at) > 1 and member in names]  # fmt: skip
    if twice:
        yield Fault(KEY, "a parameter belongs to one group only", ", ".join(twice))
    missing = [name for name, own in model.named_parameters() if own.requires_grad and id(own) not in places]
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        rule = f"no group has {shown}: add what is missing, or freeze it with requires_grad_(False)"
        yield Fault(KEY, rule)
