"""What `--help` adds to a command: an example, panels of options by what they are for, and words instead of types."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from lrsearch.cli.examples import EXAMPLES

SHORT = {"help_option_names": ["-h", "--help"]}
"""Settings of the program and of each of its commands."""
WHAT, HOW, WHERE, OUTPUT, OTHER = "What", "How", "Where", "Output", "Help"
ORDER = {
    "tasks": "Begin",
    "schedules": "Begin",
    "lr-find": "Begin",
    "train": "Begin",
    "study": "Search",
    "trial": "Search",
    "report": "Search",
    "judge": "Search",
    "scale": "Search",
    "dashboard": "Together",
    "serve": "Together",
    "worker": "Together",
    "storage": "Together",
}
"""The program's commands in the order of the work -> the panel in which they stand."""
PANELS = {
    WHERE: "storage cluster host port token token_file allowed_host artifacts metrics_port metrics_host",
    OUTPUT: "output form quiet plot write checkpoint images publish log_format curves finalists dry_run",
    WHAT: "task settings modules lr scheduler epochs seed from_study trial resume kind from_csv target study file name "
    "names number numbers source lr_parameter types value baseline direction epoch runs batches low high seeds "
    "look top command failed reason undo trials",
}
"""Panel -> parameters that stand there; every other option says how."""
PANELS[OTHER] = "version install_completion show_completion"
PANEL_OF = {parameter: panel for panel, names in PANELS.items() for parameter in names.split()}
READABLE = ("bold", "dim")
"""Of typer's styles these words stay: its cyan, green and yellow cannot be read on white, nor dim red on black."""
WORDS: dict[type, str] = {int: "N", float: "X", Path: "PATH"}
"""What stands for a value that has no word of its own; for a text it is the last word of the option."""


class _Documented:
    """What commands and groups share: their options in panels, always in the same order."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        _document(self)

    def get_params(self, ctx: Any) -> list[Any]:
        """Arguments and options, by panels."""
        order = [None, WHAT, HOW, WHERE, OUTPUT, OTHER]
        listed: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for late in listed:  # those that typer adds to a program when it is complete
            if late.param_type_name == "option" and late.rich_help_panel is None:
                _document_parameter(late, None)
        return sorted(listed, key=lambda own: order.index(own.rich_help_panel))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help without colours that vanish on one ground or the other."""
        from typer import rich_utils  # takes a while to import

        for name, style in vars(rich_utils).items():
            if name.startswith("STYLE_") and isinstance(style, str):
                setattr(rich_utils, name, " ".join(word for word in style.split() if word in READABLE))
        super().format_help(ctx, formatter)  # type: ignore[misc]

    def get_help_option(self, ctx: Any) -> Any:
        """`--help`, beside what is no part of the work."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.rich_help_panel, option.metavar = OTHER, ""
        return option


class Command(_Documented, TyperCommand):
    """A command whose help reads like the rest of the program."""


class Group(_Documented, TyperGroup):
    """A group whose help reads like the rest of the program; the program itself lists its commands in their order."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the commands: those of `ORDER` first, the others as they were registered."""
        place = {name: i for i, name in enumerate(ORDER)}
        return sorted(self.commands, key=lambda name: place.get(name, len(place)))


def complete(app: typer.Typer, path: str = "") -> None:
    """Give every command of a program its example and its form.

    Args:
        app: Whose commands are all registered.
        path: What a person types before their names.
    """
    for command in app.registered_commands:
        name = f"{path} {command.name}".strip()
        command.cls, command.epilog = Command, _example(name)
        command.context_settings = {**(command.context_settings or {}), **SHORT}
        command.rich_help_panel = ORDER.get(name, "Commands")
    app.info.epilog = _example(path)
    for group in app.registered_groups:
        assert group.typer_instance is not None
        name = f"{path} {group.name}".strip()
        group.cls, group.context_settings = Group, SHORT
        group.rich_help_panel = ORDER.get(name, "Commands")
        complete(group.typer_instance, name)


def _example(name: str) -> str | None:
    lines = EXAMPLES.get(name)  # a test asks for one of every command
    return None if lines is None else "\n\n".join(["For example:", *lines])


def _document(command: Any) -> None:
    command.help = None if command.help is None else escape(command.help)
    command.epilog = None if command.epilog is None else escape(command.epilog)
    kinds = {} if command.callback is None else _kinds(command.callback)
    for parameter in command.params:
        _document_parameter(parameter, kinds.get(parameter.name))


def _document_parameter(parameter: Any, kind: type | None) -> None:
    if parameter.help:
        parameter.help = escape(parameter.help)
    if parameter.param_type_name != "option":
        parameter.display_type_rich = _nothing  # its name says what it is
        return
    if parameter.rich_help_panel is None:
        parameter.rich_help_panel = PANEL_OF.get(parameter.name, HOW)
    if parameter.is_flag or parameter.rich_help_panel == OTHER:
        parameter.metavar = ""
    elif parameter.metavar is None and kind is not None:
        last = max(parameter.opts, key=len).split("-")[-1].upper()
        parameter.metavar = "|".join(kind) if issubclass(kind, StrEnum) else WORDS.get(kind, last)


def _nothing(ctx: Any) -> None:
    """No type beside a name."""


def _kinds(function: Callable[..., Any]) -> dict[str, type]:
    """Parameter -> what one of its values is, by the signature."""
    found = {}
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        annotation = parameter.annotation
        while get_args(annotation):  # Annotated, a union with None, a list
            annotation = get_args(annotation)[0]
        if isinstance(annotation, type):
            found[parameter.name] = annotation
    return found
