"""The costs of lanes that a study keeps: settled by the first process that trains it, the same for all that follow."""

from __future__ import annotations

from lrsearch.pruning import lane_cost
from lrsearch.pruning.lane_cost import LaneCost
from lrsearch.storage.attributes import LANE_COST
from lrsearch.study.stored import StoredStudy


def of(stored: StoredStudy) -> LaneCost | None:
    """What the study keeps; None before anybody has trained it.

    Args:
        stored: The study.
    """
    return lane_cost.stored(stored.reader.attributes().get(LANE_COST))


def settled(stored: StoredStudy, own: LaneCost) -> LaneCost:
    """What the study keeps; if it keeps nothing yet, what this process reckons, which it keeps from now on.

    Args:
        stored: The study.
        own: What is reckoned for this process.
    """
    if (kept := of(stored)) is not None:
        return kept
    stored.remember(LANE_COST, own.table())
    return of(stored) or own
