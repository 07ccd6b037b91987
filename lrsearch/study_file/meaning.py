"""The rules that need the registries: do the names exist, do the options and ranges fit them?"""

from __future__ import annotations

from typing import Any

from lrsearch import registry
from lrsearch.errors import Fault
from lrsearch.study_file import command, contestants, option_axes, options_meaning, searched_options
from lrsearch.study_file.axes import bounds, contains
from lrsearch.study_file.faults import show, validate
from lrsearch.study_file.model import Definition, PluginSection, SearchSection, TrySection
from lrsearch.study_file.searched_options import SearchedOptions


def check_meaning(parts: dict[str, Any], document: dict[str, Any], faults: list[Fault]) -> None:
    """Check the sections that have the right shape, and fill in the options' defaults.

    Args:
        parts: Section name -> section, or None where its shape was wrong. Plugin sections are replaced by ones
            whose options are complete; search and try by ones whose names are resolved.
        document: The study file's content.
        faults: What is wrong is appended here.
    """
    for key, names in (("task", registry.tasks), ("sampler", registry.samplers), ("pruner", registry.pruners)):
        if parts[key] is not None and (key != "task" or parts["command"] is None):
            parts[key] = _plugin(parts[key], key, names, faults)
    if parts["search"] is not None:
        parts["search"] = check_search(parts["search"], faults)
    options = _options(document, faults)
    if parts["search"] is not None:
        parts["search"] = None if options is None else _with_options(parts["search"], options, faults)
    if parts["search"] is not None and parts["sampler"] is not None and parts["study"] is not None:
        trials = parts["study"].trials
        cells = None if trials is None else trials - len(parts["tries"] or [])
        faults.extend(registry.samplers.get(parts["sampler"].name).faults(parts["search"], cells))
    if parts["command"] is not None and parts["search"] is not None:
        types = parts["search"].schedulers
        command.warn_of_what_is_not_told(parts["command"], types, [name for name in types if _is_searched(name)])
    if parts["confirm"] is not None:
        faults.extend(contestants.faults(parts["confirm"], runs_command=parts["command"] is not None))
    if parts["tries"] is not None:
        parts["tries"] = [
            None if entry is None else _try(entry, parts, f"try[{index}]", faults)
            for index, entry in enumerate(parts["tries"])
        ]


def _is_searched(scheduler: str) -> bool:
    return any(declared.search for declared in registry.schedules.get(scheduler).parameters().values())


def _plugin(
    section: PluginSection, key: str, names: registry.Registry[Any], faults: list[Fault]
) -> PluginSection | None:
    if section.name not in names:
        faults.append(names.unknown(section.name, f"{key}.name"))
        return None
    options = validate(names.get(section.name).options, section.options, key, faults)
    if options is None:
        return None
    return PluginSection(name=names.resolve(section.name), options=options.model_dump(mode="json", exclude_none=True))


def completed(definition: Definition) -> Definition:
    """A stored definition in which the options that came after it was stored have their defaults.

    Args:
        definition: Any; what it names and nobody registered here stays as it is.
    """
    names = {"sampler": registry.samplers, "pruner": registry.pruners}
    sections = {key: getattr(definition, key) for key in names}
    known = {key: _plugin(own, key, names[key], []) for key, own in sections.items() if own.name in names[key]}
    return definition.model_copy(update={key: own for key, own in known.items() if own is not None})


def check_search(section: SearchSection, faults: list[Fault]) -> SearchSection | None:
    """Check a search section against the registered schedules.

    Args:
        section: A section of the right shape.
        faults: What is wrong is appended here.

    Returns:
        The section with groups and aliases spelled out, or None if faults were appended.
    """
    found = check_rest(section, [])
    known = {name: axes for name, axes in section.parameters.items() if name in registry.schedules}
    parameters = {registry.schedules.resolve(name): axes for name, axes in known.items()}
    schedulers = [] if found else registry.schedules.expand(section.schedulers)
    found.extend(
        Fault(f"search.{name}", f"scheduler {name} is not searched: add it to search.schedulers or take this away")
        for name in parameters
        if schedulers and name not in schedulers
    )
    faults.extend(found)
    return None if found else section.model_copy(update={"schedulers": schedulers, "parameters": parameters})


def check_rest(section: SearchSection, faults: list[Fault]) -> list[Fault]:
    """Check what does not depend on the rest of a search section, of which another part may have the wrong shape.

    Args:
        section: What is left of it.
        faults: What is wrong is appended here.

    Returns:
        The same list.
    """
    faults.extend(
        registry.schedules.unknown(name, f"search.schedulers[{index}]")
        for index, name in enumerate(section.schedulers)
        if name not in registry.schedules and name not in registry.schedules.groups()
    )
    if min(bounds(section.lr)) <= 0:
        faults.append(Fault("search.lr", "a learning rate must be larger than 0", show_axis(section.lr)))
    for name, axes in section.parameters.items():
        if name in registry.schedules:
            faults.extend(_axis_faults(name, axes))
        else:
            faults.append(registry.schedules.unknown(name, f"search.{name}"))
    return faults


def _axis_faults(name: str, axes: dict[str, Any]) -> list[Fault]:
    family = registry.schedules.get(name)
    found = []
    for parameter, axis in axes.items():
        wrong = next((f for value in bounds(axis) for f in family.faults({parameter: value})), None)
        if wrong is not None:
            found.append(Fault(f"search.{name}.{parameter}", wrong.rule, show_axis(axis), wrong.nearest))
    return found


def _options(document: dict[str, Any], faults: list[Fault]) -> SearchedOptions | None:
    found: list[Fault] = []
    options = options_meaning.check(searched_options.read(document.get("search"), found), document, found)
    faults.extend(found)
    return None if found else options


def _with_options(search: SearchSection, options: SearchedOptions, faults: list[Fault]) -> SearchSection:
    """The section with what else is searched; no two parameters may have one name."""
    if not options:
        return search
    own = [one for name in options.optimizers for one in options.own(name)]
    taken = {"lr", "scheduler", "seed", "optimizer", *(f"{name}.lr" for name in options.optimizers)}
    for kind in search.schedulers:
        keys = registry.schedules.get(kind).parameters()
        taken |= {f"{kind}.{key}" for key in keys} | ({"decay"} if kind == "lambda" else set())
    faults.extend(
        Fault(one.place, f"a parameter of the search is called {one.name} already: fix this one in [{one.section}]")
        for one in [*options.shared(), *own]
        if one.name in taken
    )
    return search.model_copy(update={"options": options})


def _try(entry: TrySection, parts: dict[str, Any], key: str, faults: list[Fault]) -> TrySection | None:
    """The settings with their names resolved; without a search section, what they say by themselves is checked."""
    if entry.scheduler not in registry.schedules:
        faults.append(registry.schedules.unknown(entry.scheduler, f"{key}.scheduler"))
        return None
    name = registry.schedules.resolve(entry.scheduler)
    family = registry.schedules.get(name)
    found = [Fault(f"{key}.{f.key}", f.rule, f.received, f.nearest) for f in family.faults(entry.parameters)]
    search, own = parts["search"], None
    if search is not None:
        base = None if parts["training"] is None else parts["training"].optimizer
        own = options_meaning.optimizer_of(entry, search.options, base)
        found += options_meaning.check_try(entry, search.options, base, key)
        found += _outside(entry, search, name, own, key)
    faults.extend(found)
    return None if found else entry.model_copy(update={"scheduler": name, "optimizer": own})


def _outside(entry: TrySection, search: SearchSection, name: str, optimizer: str | None, key: str) -> list[Fault]:
    """What of some settings' rate and schedule the search does not cover."""
    family, found = registry.schedules.get(name), []
    rates = search.rate_axis(optimizer)
    place = "search.lr" if rates is search.lr else f"search.training.{optimizer}.lr"
    if name not in search.schedulers:
        found.append(Fault(f"{key}.scheduler", "is not among search.schedulers: add it there", f'"{name}"'))
    if not (contains(rates, entry.lr) if rates is search.lr else option_axes.contains(rates, entry.lr)):
        found.append(Fault(f"{key}.lr", f"is outside {place} = {show_axis(rates)}: widen it", show(entry.lr)))
    for parameter, value in entry.parameters.items():
        axis = search.parameters.get(name, {}).get(parameter) or _default_axis(family, parameter)
        if axis is not None and not contains(axis, value) and not family.faults({parameter: value}):
            rule = f"is outside search.{name}.{parameter} = {show_axis(axis)}: widen it"
            found.append(Fault(f"{key}.{parameter}", rule, show(value)))
    return found


def _default_axis(family: Any, parameter: str) -> Any:
    declared = family.parameters().get(parameter)
    return declared.search if declared else None


def show_axis(axis: Any) -> str:
    """A search axis as it would be written in a study file."""
    return show(axis.model_dump(exclude_none=True, exclude_defaults=True) if hasattr(axis, "model_dump") else axis)
