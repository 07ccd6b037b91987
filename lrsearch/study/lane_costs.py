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


def settled(stored: StoredStudy, *, one_pass: bool, device: str, fixed: float = 1.0) -> LaneCost:
    """What the study keeps; if it keeps nothing yet, what is reckoned for this process, which it keeps from now on.

    Args:
        stored: The study.
        one_pass: Whether its engine trains lanes in one pass.
        device: Where, ``cpu`` or ``cuda``.
        fixed: What an epoch of its engine costs beside the lanes; see `LaneCost`.
    """
    if (kept := of(stored)) is not None:
        return kept
    own = lane_cost.reckoned(one_pass=one_pass, device=device, fixed=fixed)
    stored.remember(LANE_COST, own.table())
    return of(stored) or own
