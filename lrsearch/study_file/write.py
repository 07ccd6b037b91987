"""Definition -> TOML, in the shape that `load` reads."""

from __future__ import annotations

from typing import Any

import tomlkit
from tomlkit.items import AoT, InlineTable, Table

from lrsearch.study_file.model import Definition
from lrsearch.study_file.option_axes import is_axis


def to_toml(definition: Definition) -> str:
    """The study file of a definition, complete with defaults.

    Args:
        definition: What the file shall describe.

    Returns:
        TOML that `load.read` and `load.parse` turn into an equal definition.
    """
    document = tomlkit.document()
    for name, section in definition.document().items():
        document.add(name, _tables(section) if isinstance(section, list) else _section(name, section))
    return tomlkit.dumps(document).strip() + "\n"


def _section(name: str, values: dict[str, Any]) -> Table:
    """``[name]``; in ``[search]`` scheduler types are tables of their own, all else is one line."""
    table = tomlkit.table()
    for key, value in _given(values).items():
        if _is_table(name, key, value):
            table.add(key, _section(f"{name}.{key}", value))
        else:
            table.add(key, _inline(value))
    return table


def _is_table(name: str, key: str, value: Any) -> bool:
    """Whether a key is a table of its own: a scheduler type, or what else is searched, down to one optimizer's."""
    if name == "search.training":
        return not is_axis(value)
    return name == "search" and key != "lr" and isinstance(value, dict)


def _tables(entries: list[dict[str, Any]]) -> AoT:
    """``[[name]]``, once per entry."""
    tables = tomlkit.aot()
    for entry in entries:
        table = tomlkit.table()
        for key, value in _given(entry).items():
            table.add(key, _inline(value))
        tables.append(table)
    return tables


def _inline(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    table: InlineTable = tomlkit.inline_table()
    for key, item in _given(value).items():
        table.append(key, _inline(item))
    return table


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Without the keys that have no value: TOML writes None by leaving the key out."""
    return {key: value for key, value in values.items() if value is not None}
