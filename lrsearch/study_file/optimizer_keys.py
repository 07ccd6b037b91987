"""The optimizer's own arguments: in a file they stand among the other keys of ``[training]``.

Those of sgd, adam and adamw that both engines know have fields of their own; the arguments of any other optimizer, and
the rest of these three's, are `TrainingSection.options`, checked against the optimizer's signature.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from lrsearch import registry
from lrsearch.errors import Fault, InputError, nearest
from lrsearch.study_file.faults import show

OWN_FIELDS = {
    "sgd": ("momentum", "nesterov", "weight_decay"),
    "adam": ("betas", "eps", "weight_decay"),
    "adamw": ("betas", "eps", "weight_decay"),
}
"""Optimizer -> its arguments that are fields of the training section."""
FIELDS = tuple(dict.fromkeys(field for own in OWN_FIELDS.values() for field in own))
DEFAULT = "sgd"


def split(section: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """``[training]`` as a file has it -> what the training section is made of.

    Args:
        section: The table of a file.
        keys: All that the training section has.
    """
    name = section.get("optimizer", DEFAULT)
    typed = isinstance(name, str) and name.lower() in OWN_FIELDS
    fields = [key for key in keys if key != "options" and (typed or key not in FIELDS)]
    head = {key: value for key, value in section.items() if key in fields}
    if typed and "optimizer" in head:
        head["optimizer"] = name.lower()
    options = {key: value for key, value in section.items() if key not in fields}
    return {**head, "options": options} if options else head


def joined(section: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of `split`: the section in the shape of a file, without fields that mean nothing to its optimizer.

    Args:
        section: Field -> value of a training section.
    """
    own = OWN_FIELDS.get(section["optimizer"], ())
    shown = {key: value for key, value in section.items() if key != "options" and (key not in FIELDS or key in own)}
    return {**shown, **section["options"]}


def of_any(section: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """A table ``[training]`` without the arguments of its optimizer, for another one; a weight decay stays.

    Args:
        section: The table of a file.
        keys: All that the training section has.
    """
    kept = {key: value for key, value in section.items() if key in keys and key not in FIELDS}
    return {**kept, **({"weight_decay": decay} if (decay := section.get("weight_decay")) else {})}


def source(section: object) -> str | None:
    """The file or module that a table ``[training]`` names with ``optimizer = "module:Class"``; None if it does not.

    Args:
        section: The table of a file, whatever else is wrong with it.
    """
    name = section.get("optimizer") if isinstance(section, dict) else None
    return name.rpartition(":")[0] or None if isinstance(name, str) else None


def check(section: object, keys: Collection[str], faults: list[Fault]) -> str | None:
    """Check the optimizer's name, and its arguments against its signature.

    Args:
        section: The table of a file, whatever else is wrong with it.
        keys: All that the training section has.
        faults: What is wrong is appended here.

    Returns:
        The optimizer's registered name; None if there is none.
    """
    if not isinstance(section, dict):
        return None
    name, options = section.get("optimizer", DEFAULT), split(section, keys).get("options", {})
    if isinstance(name, str) and name.lower() in OWN_FIELDS and not options:
        return name.lower()
    found, known = None, [key for key in keys if key != "options"]
    try:
        if isinstance(name, str) and name:
            found = registry.optimizers.resolve(name)
    except InputError as error:
        faults.extend(replace(fault, key="training.optimizer") for fault in error.faults)
    if found is None:
        # Which arguments it would take is not known; a key that looks like another one is wrong all the same.
        faults.extend(_unknown(key, value, close) for key, value in options.items()
                      if key not in FIELDS and (close := nearest(key, known)))  # fmt: skip
        return None
    typed = {key: section[key] for key in OWN_FIELDS.get(found, ()) if key in section}
    wrong = registry.optimizers.get(found).faults(options, typed, known)
    faults.extend(replace(fault, key=f"training.{fault.key or 'optimizer'}") for fault in wrong)
    return found


def _unknown(key: str, value: object, close: tuple[str, ...]) -> Fault:
    return Fault(f"training.{key}", "unknown key", show(value), close)
