"""What the contestants of a study take, before any of them is trained."""

from __future__ import annotations

from lrsearch.study import confirmation, rounds
from lrsearch.study.contestants import FOUND_RATE
from lrsearch.study_file.contestants import NAMES, is_installed
from lrsearch.study_file.model import Definition


def is_ours(definition: Definition) -> bool:
    """Whether a file leaves it to us who takes part.

    Args:
        definition: Of the search.
    """
    return definition.confirm.contestants is None


def names(definition: Definition) -> list[str]:
    """Who may take part.

    Args:
        definition: Of the search.
    """
    if not definition.confirm.top or definition.command is not None:
        return []
    asked = definition.confirm.contestants
    return [name for name in NAMES if is_installed(name)] if asked is None else list(asked)


def runs(definition: Definition) -> int:
    """How many runs they take, about: one for each seed that the confirmation gets to.

    Args:
        definition: Of the search.
    """
    section = definition.confirm
    entrants = section.top + len(definition.tries) + rounds.CONSTANTS
    seeds = section.seeds or max(confirmation.runs(definition) // entrants, rounds.SCREENING)
    return len(names(definition)) * seeds


def updates_of_test(definition: Definition) -> int:
    """How many updates the range test takes at most; 0 where nobody needs one.

    Args:
        definition: Of the search.
    """
    if not set(FOUND_RATE) & set(names(definition)):
        return 0
    from lrsearch.training.found_rate import updates  # torch takes a while

    return updates()
