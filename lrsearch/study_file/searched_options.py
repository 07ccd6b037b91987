"""What a study searches beside rate and schedule: optimizers, training keys, and options of the task.

A parameter that depends on the optimizer carries its name (``adamw.lr``), so that none has two distributions. All
others are called as in the file: ``batch_size``, and ``task.hidden`` for an option of the task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lrsearch.errors import Fault
from lrsearch.study_file import optimizer_keys, option_axes
from lrsearch.study_file.axes import StrictModel
from lrsearch.study_file.faults import show
from lrsearch.study_file.names import RESERVED as RESERVED
from lrsearch.study_file.option_axes import OptionAxis, OptionRange

OPTIMIZER = "optimizer"
"""Optuna's name of the parameter that says which optimizer trains a trial."""
LR = "lr"
OF_THE_LOOP = ("batch_size",)
"""Keys of ``[training]`` that can be searched and belong to no optimizer."""


@dataclass(frozen=True)
class Option:
    """One thing that is searched beside rate and schedule.

    Attributes:
        name: Optuna's name of it.
        place: Its key in a study file, for messages.
        section: The section that it is a key of.
        key: The key.
        axis: Its values.
    """

    name: str
    place: str
    section: Literal["training", "task"]
    key: str
    axis: OptionAxis


class SearchedOptions(StrictModel):
    """The part of ``[search]`` that is about neither rate nor schedule.

    Attributes:
        optimizers: Which are tried; empty for the one of ``[training]``, which is then no parameter.
        training: Key of ``[training]`` -> axis.
        by_optimizer: Optimizer -> key -> axis, ``lr`` among them: ``[search.training.adamw]``.
        task: Option of the task -> axis.
    """

    optimizers: list[str] = []
    training: dict[str, Any] = {}
    by_optimizer: dict[str, dict[str, Any]] = {}
    task: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self.optimizers or self.training or self.by_optimizer or self.task)

    def shared(self) -> list[Option]:
        """What every trial has, in the order of the file."""
        keys = [key for key in self.training if not self.optimizers or key in OF_THE_LOOP]
        found = [Option(key, f"search.training.{key}", "training", key, self.training[key]) for key in keys]
        return [*found, *(Option(f"task.{key}", f"search.task.{key}", "task", key, axis)
                          for key, axis in self.task.items())]  # fmt: skip

    def own(self, optimizer: str) -> list[Option]:
        """What only trials of one optimizer have, but for their rate.

        Args:
            optimizer: One of `optimizers`.
        """
        every = {key: axis for key, axis in self.training.items() if key not in OF_THE_LOOP}
        special = {key: axis for key, axis in self.by_optimizer.get(optimizer, {}).items() if key != LR}
        places = {key: f"search.training.{key}" for key in every}
        places |= {key: f"search.training.{optimizer}.{key}" for key in special}
        return [
            Option(f"{optimizer}.{key}", places[key], "training", key, axis)
            for key, axis in {**every, **special}.items()
        ]

    def with_rates(self, low: float, high: float) -> SearchedOptions:
        """The same where each optimizer's rates lie between two others.

        Args:
            low: Lowest rate.
            high: Highest rate.
        """
        if not self.optimizers:
            return self
        axis = OptionRange(low=low, high=high, log=True)
        own = {name: {**self.by_optimizer.get(name, {}), LR: axis} for name in self.optimizers}
        return self.model_copy(update={"by_optimizer": own})

    def document(self) -> dict[str, Any]:
        """The keys of ``[search]`` that say the same; none where nothing is searched."""
        training = {**_plain(self.training), **{name: _plain(own) for name, own in self.by_optimizer.items()}}
        parts: dict[str, Any] = {"optimizers": self.optimizers, "training": training, "task": _plain(self.task)}
        return {key: part for key, part in parts.items() if part}


def read(section: object, faults: list[Fault]) -> SearchedOptions:
    """The options that a table ``[search]`` has, whatever else is wrong with it.

    Args:
        section: The table of a file.
        faults: What is wrong with the shape of these is appended here.

    Returns:
        The options that have the right shape.
    """
    if not isinstance(section, dict):
        return SearchedOptions()
    found: list[Fault] = []
    tables: dict[str, dict[str, Any]] = {}
    for name in ("training", "task"):
        tables[name] = section.get(name, {})
        if not isinstance(tables[name], dict):
            found.append(Fault(f"search.{name}", f"must be a table: write [search.{name}]", show(section[name])))
            tables[name] = {}
    optimizers = section.get("optimizers", [])
    if not isinstance(optimizers, list) or not all(isinstance(name, str) for name in optimizers):
        rule = 'must be a list of names, such as ["sgd", "adamw"]'
        found.append(Fault("search.optimizers", rule, show(optimizers)))
        optimizers = []
    elif not optimizers and "optimizers" in section:
        found.append(Fault("search.optimizers", "must not be empty: leave it out for the optimizer of [training]"))
    training = tables["training"]
    by_optimizer = {name: table for name, table in training.items() if not option_axes.is_axis(table)}
    read_axes = {
        "training": _read({key: own for key, own in training.items() if key not in by_optimizer},
                          "search.training", found),
        "task": _read(tables["task"], "search.task", found),
    }  # fmt: skip
    own = {name: _read(table, f"search.training.{name}", found) for name, table in by_optimizer.items()}
    if any(fault.key == "search.optimizers" for fault in found):
        own = {}  # whose they are is not known
    faults.extend(found)
    return SearchedOptions(optimizers=optimizers, by_optimizer=own, **read_axes)


def with_optimizer(document: dict[str, Any]) -> dict[str, Any]:
    """A study file whose ``[training]`` names the first of the optimizers that are searched, if it names none.

    Args:
        document: The file's content; it stays as it is.
    """
    search, training = document.get("search"), document.get("training", {})
    named = search.get("optimizers") if isinstance(search, dict) else None
    if not isinstance(named, list) or not named or not isinstance(named[0], str) or not isinstance(training, dict):
        return document
    return {**document, "training": {OPTIMIZER: named[0], **training}}


def arguments_of(training: Mapping[str, Any], optimizer: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """A table ``[training]`` for another optimizer: the arguments of the one that it names do not outlive it.

    Args:
        training: The table of a file.
        optimizer: The other one.
        keys: All that the training section has.
    """
    if training.get(OPTIMIZER, optimizer_keys.DEFAULT) == optimizer:
        return dict(training)
    kept = {key: value for key, value in training.items() if key in keys and key not in optimizer_keys.FIELDS}
    return {**kept, OPTIMIZER: optimizer}


def _read(table: Mapping[str, Any], prefix: str, faults: list[Fault]) -> dict[str, Any]:
    found = {key: option_axes.read(value, f"{prefix}.{key}", faults) for key, value in table.items()}
    return {key: axis for key, axis in found.items() if axis is not None}


def _plain(axes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: axis.model_dump(exclude_none=True) if isinstance(axis, StrictModel) else axis for key, axis in axes.items()
    }
