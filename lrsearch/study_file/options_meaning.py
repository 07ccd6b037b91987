"""Whether the searched options exist: optimizers, their arguments, keys of ``[training]``, options of the task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lrsearch import registry
from lrsearch.errors import Fault, InputError, nearest
from lrsearch.study_file import optimizer_keys, option_axes
from lrsearch.study_file.axes import StrictModel
from lrsearch.study_file.faults import show, validate
from lrsearch.study_file.model import TrainingSection, TrySection
from lrsearch.study_file.option_axes import OptionAxis
from lrsearch.study_file.searched_options import LR, OF_THE_LOOP, OPTIMIZER, SearchedOptions, arguments_of

KEYS = TrainingSection.model_fields


def check(options: SearchedOptions, document: Mapping[str, Any], faults: list[Fault]) -> SearchedOptions | None:
    """Check searched options against everything that is registered.

    Args:
        options: Of the right shape.
        document: The study file's content.
        faults: What is wrong is appended here.

    Returns:
        The options with names resolved and values in the kind of their owners; None if faults were appended.
    """
    if not options:
        return options
    if "command" in document:
        faults.extend(_beside_a_command(options))
        return None
    found: list[Fault] = []
    training = document.get("training", {})
    training = training if isinstance(training, dict) else {}
    named = _optimizers(options, training, found)
    shared, own = _training(options, training, named, found)
    if "batch_size" in options.training and "evaluate_every" in training:
        rule = "cannot be searched beside training.evaluate_every: another batch size has other evaluations"
        found.append(Fault("search.training.batch_size", rule))
    task = _task(options.task, document.get("task"), found)
    faults.extend(found)
    if found:
        return None
    return SearchedOptions(optimizers=named if options.optimizers else [], training=shared, by_optimizer=own, task=task)


def _beside_a_command(options: SearchedOptions) -> Iterator[Fault]:
    rule = "means nothing to a command, which is told a rate and a schedule only"
    yield from (Fault(f"search.{key}", rule) for key in options.document())


def _optimizers(options: SearchedOptions, training: Mapping[str, Any], faults: list[Fault]) -> list[str]:
    """The registered names of the optimizers that are tried; of the file's one where none are searched."""
    found: list[str] = []
    for index, name in enumerate(options.optimizers):
        try:
            resolved = name.lower() if name.lower() in optimizer_keys.OWN_FIELDS else registry.optimizers.resolve(name)
        except InputError as error:
            faults.extend(replace(fault, key=f"search.optimizers[{index}]") for fault in error.faults)
            continue
        if resolved in found:
            faults.append(Fault(f"search.optimizers[{index}]", "is named twice", show(name)))
        found.append(resolved)
    own = training.get(OPTIMIZER, optimizer_keys.DEFAULT)
    known = isinstance(own, str) and _resolved(own)
    if options.optimizers and known and found and known not in found:
        rule = "is not among search.optimizers: add it there, or leave it out here"
        faults.append(Fault("training.optimizer", rule, show(own), nearest(str(own), found)))
    return found if options.optimizers else [known] if known else []


def _resolved(name: str) -> str | None:
    if name.lower() in optimizer_keys.OWN_FIELDS:
        return name.lower()
    try:
        return registry.optimizers.resolve(name)
    except InputError:  # told where [training] is checked
        return None


def _training(
    options: SearchedOptions, training: Mapping[str, Any], named: list[str], faults: list[Fault]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The axes over keys of ``[training]``: those for all optimizers, and those for one."""
    tables = {name: arguments_of(_with_resolved(training), name, KEYS) for name in named}
    shared: dict[str, Any] = {}
    for key, axis in options.training.items():
        place = f"search.training.{key}"
        if key == LR:
            faults.append(Fault(place, "stands in [search]; here it belongs to an optimizer: [search.training.adamw]"))
            continue
        lacking = [name for name in named if key not in OF_THE_LOOP and not _takes(name, key)]
        if lacking and len(named) > len(lacking):
            has = next(name for name in named if name not in lacking)
            rule = f"{', '.join(lacking)} has no such argument: write it in [search.training.{has}]"
            faults.append(Fault(place, rule, _show(axis)))
            continue
        checked = [_checked(axis, key, place, name, tables[name], faults) for name in named]
        shared[key] = checked[0] if checked else axis
    own: dict[str, dict[str, Any]] = {}
    for written, axes in options.by_optimizer.items():
        name, place = _resolved(written), f"search.training.{written}"
        if not options.optimizers or name not in named:
            faults.append(_nobody(written, place, options, named))
            continue
        own[name] = {key: _own(axis, key, place, name, tables[name], faults) for key, axis in axes.items()}
    return shared, own


def _nobody(written: str, place: str, options: SearchedOptions, named: list[str]) -> Fault:
    """A table that belongs to no optimizer that is searched."""
    if _resolved(written) is not None:
        rule = "optimizer is not searched: add it to search.optimizers or take this away"
        return Fault(place, rule)
    rule = "is neither an axis ({ low = ..., high = ... } or { choices = [...] }) nor the table of an optimizer"
    close = nearest(written, [*named, *OF_THE_LOOP, *options.optimizers])
    return Fault(place, rule, None, close)


def _own(axis: OptionAxis, key: str, place: str, name: str, table: Mapping[str, Any], faults: list[Fault]) -> Any:
    place = f"{place}.{key}"
    if key in OF_THE_LOOP:
        faults.append(Fault(place, "belongs to no optimizer: write it in [search.training]", _show(axis)))
        return axis
    if key != LR:
        return _checked(axis, key, place, name, table, faults)
    rates = option_axes.values(axis)
    if not all(isinstance(rate, (int, float)) and not isinstance(rate, bool) and rate > 0 for rate in rates):
        faults.append(Fault(place, "a learning rate must be a number larger than 0", _show(axis)))
        return axis
    return option_axes.of_kind(axis, [float(rate) for rate in rates])  # type: ignore[arg-type]


def _with_resolved(training: Mapping[str, Any]) -> dict[str, Any]:
    name = training.get(OPTIMIZER, optimizer_keys.DEFAULT)
    resolved = _resolved(name) if isinstance(name, str) else None
    return {**training, OPTIMIZER: resolved or optimizer_keys.DEFAULT}


def _takes(optimizer: str, key: str) -> bool:
    if key in optimizer_keys.OWN_FIELDS.get(optimizer, ()):
        return True
    made = registry.optimizers.get(optimizer)
    return key in made.arguments or (made.takes_anything and key not in KEYS)


def _checked(
    axis: OptionAxis, key: str, place: str, optimizer: str, table: Mapping[str, Any], faults: list[Fault]
) -> OptionAxis:
    """The axis in the kind of the training section's values, each of which is checked as if it stood there."""
    if key not in OF_THE_LOOP and key in KEYS and key not in optimizer_keys.FIELDS:
        rule = f"cannot be searched; known: {', '.join(OF_THE_LOOP)}, and the arguments of the optimizer"
        faults.append(Fault(place, rule, _show(axis)))
        return axis
    if key not in OF_THE_LOOP and not _takes(optimizer, key):
        known = [*OF_THE_LOOP, *optimizer_keys.OWN_FIELDS.get(optimizer, registry.optimizers.get(optimizer).arguments)]
        close = nearest(key, known)
        rule = f"is no argument of {optimizer}" + ("" if close else f"; known: {', '.join(known)}")
        faults.append(Fault(place, rule, _show(axis), close))
        return axis
    kept = []
    for value in option_axes.values(axis):
        found: list[Fault] = []
        written = {**table, key: value}
        # Faults of other keys stand where those keys are.
        optimizer_keys.check(written, KEYS, found)
        section = validate(TrainingSection, optimizer_keys.split(written, KEYS), "training", found)
        own = [fault for fault in found if fault.key in (f"training.{key}", "training", "training.optimizer")
               or fault.key.startswith(f"training.{key}[")]  # fmt: skip
        if own:
            fault = own[0]
            faults.append(Fault(place, fault.rule, fault.received if fault.key != "training" else show(value),
                                fault.nearest))  # fmt: skip
            return axis
        kept.append(value if section is None else getattr(section, key, section.options.get(key, value)))
    return option_axes.of_kind(axis, kept)


def _task(axes: Mapping[str, Any], section: object, faults: list[Fault]) -> dict[str, Any]:
    """The axes over options of the task, each value checked as if it stood in ``[task]``."""
    name = section.get("name") if isinstance(section, dict) else None
    if not isinstance(name, str) or name not in registry.tasks or not isinstance(section, dict):
        return dict(axes)  # told where [task] is checked
    model = registry.tasks.get(name).options
    given = {key: value for key, value in section.items() if key != "name"}
    found: dict[str, Any] = {}
    for key, axis in axes.items():
        place, kept = f"search.task.{key}", []
        for value in option_axes.values(axis):
            wrong: list[Fault] = []
            made = validate(model, {**given, key: value}, "search.task", wrong)
            own = [fault for fault in wrong if fault.key == place or fault.key.startswith((f"{place}[", f"{place}."))]
            if own:
                faults.append(replace(own[0], key=place))
                break
            kept.append(value if made is None else getattr(made, key))
        else:
            found[key] = option_axes.of_kind(axis, kept)
    return found


def check_try(entry: TrySection, options: SearchedOptions, base: str | None, key: str) -> Iterator[Fault]:
    """What of settings to try first the search does not cover, beside rate and schedule.

    Args:
        entry: Of the right shape.
        options: What is searched.
        base: The optimizer of ``[training]``; None where its name is wrong.
        key: Of the entry.
    """
    own = optimizer_of(entry, options, base)
    if entry.optimizer is not None and own is None:
        rule = "is not among search.optimizers: add it there"
        yield Fault(f"{key}.optimizer", rule, show(entry.optimizer), nearest(entry.optimizer, options.optimizers))
        return
    axes = [*options.shared(), *(options.own(own) if own else [])]
    for section in ("training", "task"):
        known = {one.key: one for one in axes if one.section == section}
        for name, value in getattr(entry, section).items():
            if name not in known:
                rule = f"is not searched: only what [search.{section}] names can differ between trials"
                yield Fault(f"{key}.{section}.{name}", rule, show(value), nearest(name, known))
            elif not option_axes.contains(known[name].axis, value):
                rule = f"is outside {known[name].place} = {_show(known[name].axis)}: widen it"
                yield Fault(f"{key}.{section}.{name}", rule, show(value))


def optimizer_of(entry: TrySection, options: SearchedOptions, base: str | None) -> str | None:
    """The optimizer of settings to try first; None where that is none of those that are searched.

    Args:
        entry: The settings.
        options: What is searched.
        base: The optimizer of ``[training]``, which is meant where they name none.
    """
    own = base if entry.optimizer is None else _resolved(entry.optimizer)
    return own if own in options.optimizers else None


def _show(axis: Any) -> str:
    return show(axis.model_dump(exclude_none=True, exclude_defaults=True) if isinstance(axis, StrictModel) else axis)
