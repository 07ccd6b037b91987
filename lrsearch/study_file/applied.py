"""The definition that one trial is trained with: the study's, with what the trial has of the searched options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lrsearch.study_file import optimizer_keys
from lrsearch.study_file.model import Definition, TrainingSection
from lrsearch.study_file.option_axes import decoded, encoded
from lrsearch.study_file.searched_options import OPTIMIZER, Option, arguments_of

KEYS = TrainingSection.model_fields


def applied(definition: Definition, params: Mapping[str, Any]) -> Definition:
    """The definition of one trial.

    Args:
        definition: The study's.
        params: The trial's Optuna parameters; names that mean nothing in the study are left alone.
    """
    options = definition.search.options
    if not options:
        return definition
    optimizer = _optimizer(definition, params)
    chosen = [*options.shared(), *(options.own(optimizer) if options.optimizers else [])]
    training = {one.key: decoded(one.axis, params[one.name]) for one in _given(chosen, "training", params)}
    task = {one.key: decoded(one.axis, params[one.name]) for one in _given(chosen, "task", params)}
    own = definition.task.model_copy(update={"options": {**definition.task.options, **task}})
    return definition.model_copy(update={"training": _section(definition.training, optimizer, training), "task": own})


def base(definition: Definition, optimizer: str) -> dict[str, Any]:
    """What a study file says of its searched options without a search, by Optuna's names.

    Args:
        definition: The study's.
        optimizer: Whose arguments are meant.
    """
    options = definition.search.options
    section = optimizer_keys.joined(_section(definition.training, optimizer, {}).model_dump(exclude_none=True))
    known = {"training": section, "task": definition.task.options}
    chosen = [*options.shared(), *(options.own(optimizer) if options.optimizers else [])]
    return {one.name: encoded(known[one.section][one.key]) for one in chosen if one.key in known[one.section]}


def _optimizer(definition: Definition, params: Mapping[str, Any]) -> str:
    named = params.get(OPTIMIZER)
    return named if named in definition.search.options.optimizers else definition.training.optimizer


def _given(chosen: Sequence[Option], section: str, params: Mapping[str, Any]) -> list[Option]:
    return [one for one in chosen if one.section == section and one.name in params]


def _section(training: TrainingSection, optimizer: str, values: Mapping[str, Any]) -> TrainingSection:
    if optimizer == training.optimizer and not values:
        return training
    table = optimizer_keys.joined(training.model_dump(exclude_none=True))
    changed = {**arguments_of(table, optimizer, KEYS), **values}
    return TrainingSection.model_validate(optimizer_keys.split(changed, KEYS))
