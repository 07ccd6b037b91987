"""The tables of `lrsearch/cli/README.md`, made from the commands themselves.

    python tests/command_reference.py

writes them into the page, between two comments. What stands around them is written by hand and stays as it is. The text
depends on the commands only: not on the width of a terminal, the environment, or the version of typer.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer
from typer.models import ArgumentInfo, OptionInfo

from lrsearch.cli.app import app

PAGE = Path(__file__).parent.parent / "lrsearch" / "cli" / "README.md"
BEGIN = "<!-- begin: written by tests/command_reference.py -->\n"
END = "<!-- end: written by tests/command_reference.py -->\n"
SHARED_BY = 3
"""An option of so many commands, the same in all of them, stands in one table for all."""


@dataclass(frozen=True)
class Entry:
    """An argument or option, as the page shows it."""

    name: str
    value: str
    default: str
    help: str
    is_option: bool

    @property
    def shown(self) -> str:
        return f"{self.name} {self.value}".rstrip()

    @property
    def row(self) -> str:
        return f"| `{_cell(self.shown)}` | {_cell(self.default)} | {_cell(self.help)} |"


def commands(program: typer.Typer, prefix: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command that is not hidden, those of groups first: what a person types, and the function behind it."""
    for group in program.registered_groups:
        inner = group.typer_instance
        assert inner is not None
        callback = inner.registered_callback
        if callback is not None and callback.callback is not None and callback.invoke_without_command is True:
            yield f"{prefix} {group.name}", callback.callback
        yield from commands(inner, f"{prefix} {group.name}")
    for command in program.registered_commands:
        if not command.hidden and command.callback is not None:
            yield f"{prefix} {command.name or command.callback.__name__}", command.callback


def entries(function: Callable[..., Any]) -> list[Entry]:
    """The arguments and options of a command, without hidden ones, in the order of its signature."""
    found = []
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        if get_origin(parameter.annotation) is not Annotated:
            continue
        annotation, info = get_args(parameter.annotation)[:2]
        if isinstance(info, (ArgumentInfo, OptionInfo)) and not info.hidden:
            found.append(_entry(parameter, annotation, info))
    return found


def _entry(parameter: inspect.Parameter, annotation: Any, info: ArgumentInfo | OptionInfo) -> Entry:
    required = parameter.default is parameter.empty
    text = " ".join((info.help or "").split())
    if isinstance(info, ArgumentInfo):
        return Entry(info.metavar or parameter.name.upper(), "", "required" if required else "", text, False)
    # In `Annotated`, typer takes the first name for the default.
    names = [name for name in (info.default, *(info.param_decls or ())) if isinstance(name, str)]
    name = ", ".join(names or [f"--{parameter.name.replace('_', '-')}"])
    default = "required" if required else _default(parameter.default)
    if info.envvar:
        default = f"`${info.envvar}`" + (f", or {default}" if default else "")
    return Entry(name, _value(annotation, info), default, text, True)


def _value(annotation: Any, info: OptionInfo) -> str:
    """What an option takes: the word that its command gives it, its choices, or its kind; with its limits."""
    kinds = [kind for kind in _alternatives(annotation) if kind is not type(None)]
    kind = next(iter(get_args(kinds[0])), kinds[0])  # that of the items of a list
    if kind is bool:
        return ""
    if issubclass(kind, Enum):
        return "|".join(str(choice.value) for choice in kind)
    word = info.metavar or {int: "N", float: "X", Path: "PATH"}.get(kind, "TEXT")
    limits = [f"from {info.min:g}" if info.min is not None else "", f"to {info.max:g}" if info.max is not None else ""]
    return " ".join([word, *(["(" + " ".join(filter(None, limits)) + ")"] if any(limits) else [])])


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    is_union = get_origin(annotation) in (typing.Union, types.UnionType)
    return get_args(annotation) if is_union else (annotation,)


def _default(value: Any) -> str:
    if value is None or value is False:
        return ""
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value.value if isinstance(value, Enum) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def reference() -> str:
    """The generated part of the page."""
    described = [(name, function, entries(function)) for name, function in commands(app, "lrsearch")]
    times = Counter(entry for _, _, listed in described for entry in listed if entry.is_option)
    shared = sorted((entry for entry, count in times.items() if count >= SHARED_BY), key=lambda entry: entry.name)
    parts = ["### Options that several commands share", "", *_table(shared)]
    for name, function, listed in described:
        parts += ["", f"### `{name}`", "", inspect.cleandoc(function.__doc__ or "")]
        own = [entry for entry in listed if entry not in shared]
        if own:
            parts += ["", *_table(own)]
        if common := [f"`{entry.name.split(',')[0]}`" for entry in listed if entry in shared]:
            parts += ["", f"{'Also' if own else 'Options'}: {', '.join(common)}."]
    return "\n".join(parts) + "\n"


def _table(listed: list[Entry]) -> list[str]:
    return ["| argument or option | default | meaning |", "|---|---|---|", *(entry.row for entry in listed)]


def page() -> str:
    """The page as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    pattern = re.escape(BEGIN) + ".*" + re.escape(END)
    made, count = re.subn(pattern, lambda _: BEGIN + "\n" + reference() + "\n" + END, text, flags=re.S)
    assert count == 1, f"{PAGE} must have the two comments once each"
    return made


def write() -> None:
    """Bring the page up to date."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
