"""pydantic's findings in the words of a study file: key, value received, rule, nearest valid choice."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lrsearch.errors import Fault, nearest
from lrsearch.study_file.axes import AXIS_TAGS, Choices, Range

Model = TypeVar("Model", bound=BaseModel)

_RULES = {
    "missing": "is required",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be a text in quotes",
    "bool_type": "must be true or false",
    "list_type": "must be a list [...]",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "string_too_short": "must not be empty",
}
_COMPARISONS = {
    "greater_than_equal": ("must be at least", "ge"),
    "greater_than": ("must be larger than", "gt"),
    "less_than_equal": ("must be at most", "le"),
    "less_than": ("must be smaller than", "lt"),
    "too_short": ("must have at least this many entries:", "min_length"),
    "too_long": ("must have at most this many entries:", "max_length"),
    "string_too_long": ("must have at most this many characters:", "max_length"),
}


def validate(model: type[Model], values: object, prefix: str, faults: list[Fault]) -> Model | None:
    """Validate part of a study file.

    Args:
        model: What the part must be.
        values: The part as TOML gave it.
        prefix: Dotted path of the part.
        faults: What is wrong is appended here.

    Returns:
        The validated part, or None if faults were appended.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults.extend(_fault(detail, prefix, model) for detail in error.errors(include_url=False))
        return None


def show(value: object) -> str:
    """A value as it would be written in a TOML file."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {show(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(show(item) for item in value) + "]"
    if isinstance(value, float):
        return repr(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:
        return str(value)


def dotted(prefix: str, location: Iterable[str | int]) -> str:
    """A key path such as ``search.schedulers[0]``."""
    path = prefix
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in AXIS_TAGS:
            path += f".{part}" if path else part
    return path


def _fault(detail: Any, prefix: str, model: type[BaseModel]) -> Fault:
    kind, location, value = detail["type"], detail["loc"], detail["input"]
    key = dotted(prefix, location)
    context = detail.get("ctx", {})
    if kind == "missing":
        return Fault(key, "is required")
    if kind == "extra_forbidden":
        known = list(_keys_at(model, location[:-1]))
        others = f"known: {', '.join(known)}" if known else "there are none to set here"
        rule = "unknown key" + ("" if nearest(str(location[-1]), known) else f"; {others}")
        return Fault(key, rule, show(value), nearest(str(location[-1]), known))
    if kind == "literal_error":
        # pydantic joins the choices into a sentence; the valid ones stand in quotes.
        choices = str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        return Fault(key, f"must be one of {', '.join(choices)}", show(value), nearest(str(value), choices))
    if kind in _COMPARISONS:
        words, limit = _COMPARISONS[kind]
        return Fault(key, f"{words} {context[limit]:g}", show(value))
    if kind == "rule":
        return Fault(key, detail["msg"], show(value))
    return Fault(key, _RULES.get(kind, detail["msg"][:1].lower() + detail["msg"][1:]), show(value))


def _keys_at(model: type[BaseModel], location: tuple[str | int, ...]) -> Iterable[str]:
    """The keys that are valid where an unknown one was found."""
    for tag, axis in (("<choices>", Choices), ("<range>", Range)):
        if tag in location:
            return axis.model_fields
    return model.model_fields
