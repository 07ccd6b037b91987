"""Studies that belong to another one: its confirmation."""

from __future__ import annotations

from typing import Literal

from optuna.storages import BaseStorage

from lrsearch.storage.choice import storage_reader
from lrsearch.storage.retry import Patience

Role = Literal["confirm", "constant", "contestants"]
"""The end of the study's name. ``confirm``: finalists on fresh seeds; ``constant``: a grid of constant rates, which an
earlier version made, and which goes with its study; ``contestants``: what people do without a search, on the seeds of
the confirmation, with a further end for each optimizer that is not the study's."""
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


def trains_contestants(name: str, study: str) -> bool:
    """Whether a linked study trains contestants.

    Args:
        name: Its name.
        study: Name of the study that it belongs to.
    """
    first = name_of(study, "contestants")
    return name == first or name.startswith(f"{first}/")


def existing(storage: BaseStorage, study: str, patience: Patience | None = None) -> dict[Role, str]:
    """The linked studies that a study has: role -> name.

    Args:
        storage: Where.
        study: Name of the study that they belong to.
        patience: Waits for a database that has gone away; by default one that logs that it does.
    """
    own = {listed.name for listed in storage_reader(storage, patience).listed() if listed.origin == study}
    return {role: name for role in ROLES if (name := name_of(study, role)) in own}


def of(storage: BaseStorage, study: str, patience: Patience | None = None) -> list[str]:
    """The names of all studies that belong to one, short runs of `lrsearch scale` included.

    Args:
        storage: Where.
        study: Name of the study that they belong to.
        patience: As in `existing`.
    """
    return [listed.name for listed in storage_reader(storage, patience).listed() if listed.origin == study]
