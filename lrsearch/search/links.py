"""Studies that belong to another one: its confirmation, and the constant rates that it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from optuna.storages import BaseStorage

from lrsearch.storage.attributes import ORIGIN

if TYPE_CHECKING:
    from lrsearch.search.studies import StoredStudy

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


def origin(stored: StoredStudy) -> str | None:
    """Name of the study that this one belongs to; None if it stands for itself.

    Args:
        stored: Any study.
    """
    link = stored.study.user_attrs.get(ORIGIN)
    return str(link["study"]) if link else None


def is_confirmation(stored: StoredStudy) -> bool:
    """Whether each trial has a seed of its own, and no pruner or sampler has a say.

    Args:
        stored: Any study.
    """
    link = stored.study.user_attrs.get(ORIGIN)
    return link is not None and link["role"] == "confirm"


def score(stored: StoredStudy) -> str | None:
    """Which of the further metrics is a trial's value; None for the test metric.

    Args:
        stored: Any study.
    """
    link = stored.study.user_attrs.get(ORIGIN)
    return HOLDOUT if link and link.get("rows") == "holdout" else None


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
