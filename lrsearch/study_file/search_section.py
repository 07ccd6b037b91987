"""The rate, the scheduler types and their parameters in a table ``[search]``."""

from __future__ import annotations

from typing import Any

from lrsearch.errors import Fault, nearest
from lrsearch.study_file.faults import show, validate
from lrsearch.study_file.meaning import check_rest
from lrsearch.study_file.model import SearchSection
from lrsearch.study_file.searched_options import RESERVED


def read(section: object, faults: list[Fault]) -> SearchSection | None:
    """The section, without what `searched_options` reads.

    Args:
        section: The table of a file.
        faults: What is wrong is appended here.

    Returns:
        The section; None if faults were appended.
    """
    if not isinstance(section, dict):
        faults.append(Fault("search", "must be a table", show(section)))
        return None
    head = {key: value for key, value in section.items() if key in ("lr", "schedulers")}
    found: list[Fault] = []
    checked = validate(SearchSection, head, "search", found)
    parameters: dict[str, Any] = {}
    for name, table in section.items():
        if name in head or name in RESERVED:
            continue
        if not isinstance(table, dict):
            near = nearest(name, ("lr", "schedulers", *RESERVED))
            rule = "unknown key" if near else "unknown key; known: lr, schedulers, and a table for each scheduler"
            found.append(Fault(f"search.{name}", rule, show(table), near))
            continue
        part: list[Fault] = []
        axes = validate(SearchSection, {"parameters": {name: table}}, "search", part)
        found.extend(
            Fault(f.key.replace("search.parameters.", "search.", 1), f.rule, f.received, f.nearest) for f in part
        )
        parameters.update(axes.parameters if axes else {})
    faults.extend(found)
    if found or checked is None:
        check_rest(SearchSection.model_validate({**_valid(head), "parameters": parameters}), faults)
        return None
    return checked.model_copy(update={"parameters": parameters})


def _valid(head: dict[str, Any]) -> dict[str, Any]:
    """Of the keys of a search section those that have the right shape by themselves, to check their names."""
    names = head.get("schedulers")
    if isinstance(names, list):  # what is no text has been told; a name that is known keeps its place
        head = {**head, "schedulers": [name if isinstance(name, str) else "all" for name in names]}
    return {key: value for key, value in head.items() if validate(SearchSection, {key: value}, "", []) is not None}
