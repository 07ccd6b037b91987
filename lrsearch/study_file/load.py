"""Read a study file: TOML -> document -> `Definition`, with all faults reported together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lrsearch import registry
from lrsearch.errors import Fault, InputError, input_error, nearest
from lrsearch.study_file import command, names, optimizer_keys, search_section, searched_options, toml
from lrsearch.study_file.axes import StrictModel
from lrsearch.study_file.command import CommandSection
from lrsearch.study_file.faults import show, validate
from lrsearch.study_file.meaning import check_meaning, check_search, completed
from lrsearch.study_file.model import (
    ConfirmSection,
    Definition,
    PluginSection,
    ScaleSection,
    SearchSection,
    StudySection,
    TrainingSection,
    TrySection,
)

SECTIONS = ("study", "task", "command", "training", "search", "sampler", "pruner", "try", "confirm", "scale")
KEYS_OF: dict[str, type[StrictModel]] = {
    "study": StudySection, "training": TrainingSection, "search": SearchSection, "confirm": ConfirmSection,
    "scale": ScaleSection,
}  # fmt: skip
"""Where a key belongs that stands outside of all sections."""
DEFAULT_TRIALS = 100
TRY_KEYS = ("lr", "scheduler", "optimizer", "training", "task")
"""Keys of ``[[try]]`` that are no parameters of a scheduler type."""


def read(path: Path) -> dict[str, Any]:
    """The document in a study file.

    Args:
        path: A TOML file.

    Raises:
        InputError: The file cannot be read or is not TOML.
    """
    try:
        return toml.document(contents(path), str(path))
    except FileNotFoundError:
        near = nearest(path.name, [p.name for p in path.parent.glob("*.toml")]) if path.parent.is_dir() else ()
        raise input_error(str(path), "no such file", nearest=near) from None
    except OSError as error:
        raise input_error(str(path), f"cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise input_error(show(str(path)), "cannot be the name of a file") from None


def contents(path: Path) -> bytes:
    """What a study file holds, or a little more than may be read of one that is far too large.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as opened:
        return opened.read(toml.LARGEST + 1)


def sources(document: dict[str, Any]) -> list[str]:
    """The files and modules with own code that a document names, whatever else is wrong with it.

    Args:
        document: A study file's content, or part of one.
    """
    section = document.get("study")
    own = section.get("load", []) if isinstance(section, dict) else []
    named = [source for source in own if isinstance(source, str)] if isinstance(own, list) else []
    optimizer = optimizer_keys.source(document.get("training"))
    return named if optimizer is None else [*named, optimizer]


def override(document: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """A document with some keys replaced, as by ``--set training.epochs=30``.

    Args:
        document: The document; it stays as it is.
        settings: ``key.path=value`` each; a value that is neither TOML nor a number is text.

    Raises:
        InputError: A setting has no ``=``, or its path runs through something that is no table.
    """
    changed: dict[str, Any] = _copy(document)
    faults = []
    for setting in settings:
        path, equals, written = setting.partition("=")
        keys = path.strip().split(".")
        if not equals or not all(keys):
            faults.append(Fault("--set", "must look like training.epochs=30", show(setting)))
            continue
        table = changed
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                faults.append(Fault("--set", f"{key} is not a table", show(setting)))
                break
        else:
            table[keys[-1]] = _value(written.strip())
    if faults:
        raise InputError("command line", faults)
    return changed


def parse(document: dict[str, Any], source: str) -> Definition:
    """The definition that a document describes, checked against everything that is registered.

    Args:
        document: A study file's content.
        source: What to call it in messages.

    Raises:
        InputError: With every fault that was found.
    """
    faults: list[Fault] = []
    document = searched_options.with_optimizer(document)
    parts = _sections(document, faults)
    study = document.get("study")
    name = study.get("name") if isinstance(study, dict) else None
    if isinstance(name, str) and name and (rule := names.fault(name)) is not None:
        faults.append(Fault("study.name", rule, show(name)))
    if "command" in document:
        command.check(parts["command"], document, faults)
        if parts["command"] is None:
            parts["task"] = None  # what it trains is not known
    check_meaning(parts, document, faults)
    optimizer = None
    if "command" not in document:
        optimizer = optimizer_keys.check(document.get("training", {}), TrainingSection.model_fields, faults)
    if parts["training"] is not None and optimizer is not None:
        parts["training"] = parts["training"].model_copy(update={"optimizer": optimizer})
    if faults:
        raise InputError(source, sorted(faults, key=lambda fault: _place(fault.key)))
    return _with_trials(Definition(**parts))


def parse_stored(document: dict[str, Any], source: str) -> Definition:
    """The definition in a storage: it was checked when it was stored, so names are not looked up again.

    Args:
        document: What `Definition.document` gave.
        source: What to call it in messages.

    Raises:
        InputError: It is not a definition that this version understands.
    """
    faults: list[Fault] = []
    parts = _sections(document, faults)
    options = searched_options.read(document.get("search"), faults)
    if faults:
        raise InputError(source, faults)
    if options:
        parts["search"] = parts["search"].model_copy(update={"options": options})
    return Definition(**parts)


def parse_search(section: dict[str, Any], source: str) -> SearchSection:
    """A search section alone, checked against the registered schedules.

    Args:
        section: The content of ``[search]``.
        source: What to call it in messages.

    Raises:
        InputError: With every fault that was found.
    """
    faults: list[Fault] = []
    shaped = search_section.read(section, faults)
    faults.extend(
        Fault(f"search.{key}", "belongs to a study file: a loop of your own makes its optimizer, batches and model")
        for key in searched_options.RESERVED if key in section
    )  # fmt: skip
    checked = None if shaped is None else check_search(shaped, faults)
    if checked is None or faults:
        raise InputError(source, faults)
    return checked


def differences(first: Definition, second: Definition) -> list[Fault]:
    """The keys in which two definitions differ, but for the number of trials, the confirmation and the scaling.

    None changes a trial of the search.

    Args:
        first: The one that holds.
        second: The one that is compared with it.
    """
    ours, theirs = (_leaves(completed(definition).document()) for definition in (first, second))
    apart = ("confirm.", "scale.")
    compared = (key for key in {**ours, **theirs} if key != "study.trials" and not key.startswith(apart))
    changed = [key for key in compared if ours.get(key) != theirs.get(key)]
    return [
        Fault(
            key,
            f"the stored study has {show(ours[key]) if key in ours else 'no such key'}",
            show(theirs[key]) if key in theirs else "missing",
        )
        for key in changed
    ]


def _sections(document: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    for key, value in document.items():
        if key not in SECTIONS:
            faults.append(_unknown_section(key, value))
    parts: dict[str, Any] = {
        "study": validate(StudySection, document.get("study", {}), "study", faults),
        "task": _task(document, faults),
        "command": validate(CommandSection, document["command"], "command", faults) if "command" in document else None,
        "training": _training(document.get("training", {}), faults),
        "search": search_section.read(document.get("search", {}), faults),
        "sampler": _plugin(document.get("sampler", {"name": "tpe"}), "sampler", faults, default="tpe"),
        "pruner": _pruner(document, faults),
        "tries": _tries(document.get("try", []), faults),
        "confirm": validate(ConfirmSection, document.get("confirm", {}), "confirm", faults),
        "scale": validate(ScaleSection, document["scale"], "scale", faults) if "scale" in document else None,
    }
    return parts


def _task(document: dict[str, Any], faults: list[Fault]) -> PluginSection | None:
    if "command" in document:
        return PluginSection(name=command.NAME)
    return _plugin(document.get("task", {}), "task", faults)


def _unknown_section(key: str, value: object) -> Fault:
    homes = [f"[{section}]" for section, model in KEYS_OF.items() if key in model.model_fields]
    if homes:
        return Fault(key, f"stands outside any section; write it below {' or '.join(homes)}", show(value))
    near = nearest(key, SECTIONS)
    rule = "unknown section" if isinstance(value, (dict, list)) else "unknown key outside any section"
    return Fault(key, rule if near else f"{rule}; known: {', '.join(SECTIONS)}", show(value), near)


def _plugin(section: object, key: str, faults: list[Fault], default: str | None = None) -> PluginSection | None:
    if not isinstance(section, dict):
        faults.append(Fault(key, "must be a table", show(section)))
        return None
    options = dict(section)
    head = {"name": options.pop("name", default)}
    if head["name"] is None:
        head = {}
    return validate(PluginSection, {**head, "options": options}, key, faults)


def _training(section: object, faults: list[Fault]) -> TrainingSection | None:
    if isinstance(section, dict):
        section = optimizer_keys.split(section, TrainingSection.model_fields)
    return validate(TrainingSection, section, "training", faults)


def _pruner(document: dict[str, Any], faults: list[Fault]) -> PluginSection | None:
    sampler = document.get("sampler")
    grid = isinstance(sampler, dict) and sampler.get("name") == "grid"
    default = "none" if grid else "extrapolation"
    return _plugin(document.get("pruner", {}), "pruner", faults, default=default)


def _tries(section: object, faults: list[Fault]) -> list[TrySection | None] | None:
    """The settings to try first, with None for those of a wrong shape."""
    if not isinstance(section, list):
        faults.append(Fault("try", "must be a list of tables: write [[try]]", show(section)))
        return None
    tries: list[TrySection | None] = []
    for index, entry in enumerate(section):
        values = dict(entry) if isinstance(entry, dict) else entry
        if isinstance(values, dict):
            head = {key: values.pop(key) for key in TRY_KEYS if key in values}
            values = {**head, "parameters": values}
        found: list[Fault] = []
        tries.append(validate(TrySection, values, f"try[{index}]", found))
        faults.extend(Fault(f.key.replace(".parameters.", "."), f.rule, f.received, f.nearest) for f in found)
    return tries


def _with_trials(definition: Definition) -> Definition:
    if definition.study.trials is not None:
        return definition
    sampler = registry.samplers.get(definition.sampler.name)
    trials = sampler.default_trials(definition) or DEFAULT_TRIALS
    return definition.model_copy(update={"study": definition.study.model_copy(update={"trials": trials})})


def _place(key: str) -> int:
    section = key.split(".")[0].split("[")[0]
    return SECTIONS.index(section) if section in SECTIONS else -1


def _leaves(value: object, path: str = "") -> dict[str, object]:
    if isinstance(value, dict) and value:
        return {
            leaf: item
            for key, part in value.items()
            for leaf, item in _leaves(part, f"{path}.{key}" if path else key).items()
        }
    return {path: value}


def renamed(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A document with another name for its study.

    Args:
        document: The document; it stays as it is.
        name: As a person wrote it.
    """
    section = document.get("study", {})
    return {**document, "study": {**section, "name": name}} if isinstance(section, dict) else document


def _value(written: str) -> Any:
    try:
        return toml.document(f"value = {written}".encode(errors="surrogatepass"), "--set")["value"]
    except InputError:
        # TOML wants 0.9 and 1.0, but nobody who types .9 or 1. means a text.
        return float(written) if re.fullmatch(r"[+-]?(\.\d+|\d+\.)([eE][+-]?\d+)?", written) else written


def _copy(value: Any) -> Any:
    return {key: _copy(item) for key, item in value.items()} if isinstance(value, dict) else value
