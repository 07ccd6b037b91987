"""What an answer rests on: cheap to read, and different whenever the answer may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lrsearch.version import __version__

FORM = 1
"""Changes with the rule or the fields, so that what another lrsearch has kept is computed anew."""


def basis(
    *,
    trials: Mapping[str, Any],
    excluded: Iterable[int],
    confirmed: Mapping[str, Any] | None,
    seeds: Sequence[int],
    plan: Any,
    margin: float | None,
    tries: list[dict[str, Any]],
    wanted: list[str] | None,
    contestants: Mapping[str, Any],
) -> dict[str, Any]:
    """What is kept beside an answer.

    Args:
        trials: The study's counts.
        excluded: Numbers of the trials that a person took out.
        confirmed: The counts of its confirmation; None where it has none.
        seeds: The confirmation's fresh seeds.
        plan: How far the confirmation may go, and how far it is.
        margin: A difference that does not matter.
        tries: The settings that a person let be tried first.
        wanted: The contestants that a person wants; None where she leaves that to us.
        contestants: Linked study that trains contestants -> its counts.
    """
    return {
        "version": [__version__, FORM],
        "trials": trials,
        "excluded": sorted(excluded),
        "confirmed": confirmed,
        "seeds": list(seeds),
        "plan": plan,
        "margin": margin,
        "tries": tries,
        **({} if wanted is None and not contestants else {"contestants": [wanted, dict(contestants)]}),
    }
