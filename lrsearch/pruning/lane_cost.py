"""What an epoch costs where so many networks are trained at once: whom to end where that saves next to nothing.

The table is reckoned, not clocked. The same study file and seed give the same trials to the last bit; seconds that
were measured would give others as soon as the machine is busy. It is stored with the study, so that a later version
with another table goes on with this one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

NEARLY = 1.1
"""So many times the seconds are nearly the same."""
AUDITED = 0.1
"""Of the trials that end at most so many, as a rule, are audited."""
CPU_BLOCK, CUDA_BLOCK = 32, 256
"""Networks that a batch has a multiple of (`training.seats.BLOCK`); so few leave a graphics processor idle."""


@dataclass(frozen=True)
class LaneCost:
    """Seconds of an epoch by its lanes, in units of what one block of them adds.

        seconds = fixed + blocks,  blocks = lanes / block, rounded up

    Attributes:
        block: Lanes that cost as much as one of them.
        fixed: What an epoch costs beside them.
    """

    block: int
    fixed: float

    def seconds(self, lanes: int) -> float:
        """What an epoch costs.

        Args:
            lanes: Networks that are trained.
        """
        return self.fixed + -(-lanes // self.block) if lanes else 0.0

    def most(self, lanes: int) -> int:
        """As many lanes as cost nearly the same as some; no fewer.

        Args:
            lanes: How many there are.
        """
        if not lanes:
            return 0
        blocks = max(-(-lanes // self.block), int(NEARLY * self.seconds(lanes) - self.fixed))
        return lanes if self.block == 1 else blocks * self.block

    def room(self, kept: int, arrived: int, seeds: int) -> int:
        """How many trials go on at a rung where a rule keeps some: so many as train in nearly the same seconds.

        Some of those that end are trained on for the audit. Seats are left for them, whether there is an audit or not:
        it must not change who goes on.

        Args:
            kept: How many the rule keeps.
            arrived: How many have reached the rung.
            seeds: Lanes of a trial.
        """
        if self.block == 1:
            return kept
        most = self.most((kept + _audited(arrived - kept)) * seeds)
        while kept < arrived and (kept + 1 + _audited(arrived - kept - 1)) * seeds <= most:
            kept += 1
        return kept

    def table(self) -> dict[str, Any]:
        """What is stored."""
        return asdict(self)


def _audited(ended: int) -> int:
    """Seats for the audit: more than it will need as a rule."""
    return math.ceil(AUDITED * ended)


ONE_BY_ONE = LaneCost(1, 0.0)
"""Where each trial is trained by itself, every lane costs the same."""


def reckoned(*, together: bool, device: str) -> LaneCost:
    """What lanes cost, as far as can be said without a clock.

    With a batch on a processor the fixed part is about what 32 lanes cost: `tests/benchmarks/README.md` has the
    measurements.

    Args:
        together: Whether many trials are trained at once.
        device: Where, ``cpu`` or ``cuda``.
    """
    if not together:
        return ONE_BY_ONE
    return LaneCost(CPU_BLOCK if device == "cpu" else CUDA_BLOCK, 1.0)


def stored(table: object) -> LaneCost | None:
    """The costs that a study keeps; None where there are none, or somebody else wrote something there.

    Args:
        table: What is stored.
    """
    if not isinstance(table, Mapping):
        return None
    block, fixed = table.get("block"), table.get("fixed")
    if not isinstance(block, int) or isinstance(block, bool) or block < 1:
        return None
    if not isinstance(fixed, (int, float)) or isinstance(fixed, bool) or not 0 <= fixed < 1e6:
        return None
    return LaneCost(block, float(fixed))
