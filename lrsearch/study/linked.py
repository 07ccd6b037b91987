"""Studies that belong to another one: its confirmation, and the constant rates that it is compared with."""

from __future__ import annotations

from typing import Literal

from optuna.storages import BaseStorage

from lrsearch.storage.attributes import ORIGIN

Role = Literal["confirm", "constant"]
"""``confirm``: finalists on fresh seeds; ``constant``: a grid of constant rates. Also the end of the study's name."""
ROLES: tuple[Role, ...] = ("constant", "confirm")
HOLDOUT = "holdout value"
"""Name of the further metric that scores a confirmation on holdout rows."""


def name_of(study: str, role: Role) -> str:
    """Name of a linked study.

    Args:
        study: The study that it belongs to.
        role: What it is there for.
    """
    return f"{study}/{role}"


def existing(storage: BaseStorage, study: str) -> dict[Role, str]:
    """The linked studies that a study has: role -> name.

    Args:
        storage: Where.
        study: Name of the study that they belong to.
    """
    there = {known.study_name for known in storage.get_all_studies()}
    found: dict[Role, str] = {}
    for role in ROLES:
        name = name_of(study, role)
        if name not in there:
            continue
        link = storage.get_study_user_attrs(storage.get_study_id_from_name(name)).get(ORIGIN)
        if link and link["study"] == study:
            found[role] = name
    return found
