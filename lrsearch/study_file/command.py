"""``[command]``: any program, in any language, that trains with the settings that it is told."""

from __future__ import annotations

import shlex
import string
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from lrsearch.errors import Fault, LrsearchWarning, nearest
from lrsearch.study_file.axes import StrictModel

PLACEHOLDERS = {
    "lr": "initial learning rate",
    "schedule": "scheduler type",
    "seed": "seed of the run",
    "epochs": "epochs of the run",
    "trial": "number of the trial",
    "settings": "path of a JSON file with everything",
    "curve": "path of a JSON-lines file that the command writes",
}
"""What may stand in braces -> what takes its place."""
NAME = "command"
"""What stands where a study has the name of its task."""
TRAINING_KEYS = ("epochs", "seeds", "patience", "min_delta")
"""Keys of ``[training]`` that mean something to a command; it knows the others by itself."""


class CommandSection(StrictModel):
    """``[command]``.

    Attributes:
        run: The command line. It is split without a shell, and what stands in braces is filled in.
        metric: Name of the metric; a line of output may call it so, or ``test``.
        direction: Whether it is to fall or to rise.
        updates_per_epoch: Updates of an epoch; then schedules that step after every update are given for each.
    """

    run: str = Field(min_length=1)
    metric: str = Field(default="value", min_length=1, max_length=64)
    direction: Literal["minimize", "maximize"] = "minimize"
    updates_per_epoch: int | None = Field(default=None, ge=1)

    @field_validator("run")
    @classmethod
    def _can_be_split(cls, run: str) -> str:
        if (rule := fault(run, PLACEHOLDERS)) is not None:
            raise PydanticCustomError("rule", "{why}", {"why": rule})
        return run

    @field_validator("metric")
    @classmethod
    def _one_word(cls, metric: str) -> str:
        if metric in ("epoch", "lr", "train") or not all(letter.isalnum() or letter in "_-./" for letter in metric):
            rule = "must be one word of letters, digits and _-./, and not epoch, lr or train"
            raise PydanticCustomError("rule", "{why}", {"why": rule})
        return metric

    @property
    def words(self) -> list[str]:
        """The arguments, with their braces."""
        return shlex.split(self.run)

    @property
    def names(self) -> set[str]:
        """The placeholders that it has."""
        return {name for word in self.words for name in placeholders(word)}

    def filled(self, values: Mapping[str, str]) -> list[str]:
        """The arguments, with values in the place of braces.

        Args:
            values: Placeholder -> text.
        """
        return [filled(word, values) for word in self.words]


def filled(word: str, values: Mapping[str, str]) -> str:
    """An argument with values in the place of braces.

    Args:
        word: With placeholders.
        values: Placeholder -> text.
    """
    parts = string.Formatter().parse(word)
    return "".join(text + ("" if name is None else values[name]) for text, name, _, _ in parts)


def fault(run: str, known: Collection[str]) -> str | None:
    """What is wrong with a command line; None if nothing is.

    Args:
        run: The command line.
        known: What may stand in braces.
    """
    try:
        words = shlex.split(run)
        unknown = [name for word in words for name in placeholders(word) if name not in known]
    except ValueError as error:
        return f"cannot be split into arguments: {str(error).lower()}"
    if not words:
        return "must not be empty"
    return _unknown(unknown, known) if unknown else None


def placeholders(word: str) -> list[str]:
    """What stands in braces in an argument; doubled braces are braces.

    Args:
        word: The argument.

    Raises:
        ValueError: A brace is not closed.
    """
    names = []
    for _, name, form, conversion in string.Formatter().parse(word):
        if name is not None:
            names.append(name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else ""))
    return names


def check(section: CommandSection | None, document: Mapping[str, Any], faults: list[Fault]) -> None:
    """What cannot stand beside a command, and what it is not told.

    Args:
        section: The command, if it has the right shape.
        document: The study file's content.
        faults: What is wrong is appended here.
    """
    if "task" in document:
        faults.append(Fault("command", "stands beside [task]: a study trains a task or runs a command, so choose one"))
    training = document.get("training", {})
    for key in training if isinstance(training, dict) else ():
        if key == "evaluate_every":
            rule = "means nothing to a command, which says itself when it evaluates: let epochs be how often it does"
            faults.append(Fault(f"training.{key}", rule))
        elif key not in TRAINING_KEYS:
            rule = f"means nothing to a command, which knows it by itself; known: {', '.join(TRAINING_KEYS)}"
            faults.append(Fault(f"training.{key}", rule))
    if section is not None and not {"lr", "settings"} & section.names:
        rule = "does not tell the learning rate: add {lr} or {settings}"
        faults.append(Fault("command.run", rule, f'"{section.run}"'))


def warn_of_what_is_not_told(section: CommandSection, schedulers: Sequence[str], searched: Sequence[str]) -> None:
    """Say which part of the search cannot have an effect.

    Args:
        section: The command.
        schedulers: Scheduler types of the search.
        searched: Those with parameters that are searched.
    """
    if "settings" in section.names:
        return
    if "schedule" not in section.names and list(schedulers) != ["constant"]:
        told = "the command is not told which scheduler type to use: add {schedule} or {settings} to run"
    elif searched:
        told = f"the command is not told the parameters of {', '.join(searched)}: add {{settings}} to run"
    else:
        return
    warnings.warn(told, LrsearchWarning, stacklevel=2)


def _unknown(names: Sequence[str], there: Collection[str]) -> str:
    told = []
    for name in names:
        close = nearest(name, there)
        hint = f"; did you mean {{{close[0]}}}" if close else ""
        told.append(f"{{{name}}} is no placeholder{hint}")
    known = ", ".join(f"{{{name}}}" for name in there)
    return "; ".join(told) + f". There are {known}; a brace that is meant is doubled: {{{{"
