"""What an epoch costs where so many networks are trained at once: whom to end where that saves next to nothing.

The table is reckoned, not clocked. The same study file and seed give the same trials to the last bit; seconds that
were measured would give others as soon as the machine is busy. It is stored with the study, so that a later version
with another table goes on with this one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

Trial = TypeVar("Trial", bound=Hashable)
NEARLY = 1.1
"""So many times the seconds are nearly the same."""
SEAT_CLASSES = 4
"""A lane sits where it may, in one of so many classes (`training.seats`): a batch is as long as its fullest class."""
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
        recording: What it costs, once, to go on with fewer blocks: their operations are recorded anew.
    """

    block: int
    fixed: float
    recording: float = 0.0

    def seconds(self, lanes: int) -> float:
        """What an epoch costs.

        Args:
            lanes: Networks that are trained.
        """
        return self.fixed + -(-lanes // self.block) if lanes else 0.0

    def lanes(self, places: Iterable[int]) -> int:
        """How many lanes a batch computes that trains some: each keeps its class, so a crowded class needs more.

        Args:
            places: Where each lane stood in its generation.
        """
        if self.block == 1:
            return len(list(places))
        return SEAT_CLASSES * max(Counter(place % SEAT_CLASSES for place in places).values(), default=0)

    def blocks(self, lanes: int) -> int:
        """How many blocks some lanes fill.

        Args:
            lanes: As `lanes` counts them.
        """
        return -(-lanes // self.block)

    def spared(
        self,
        kept: Collection[Trial],
        next_best: Sequence[Trial],
        places: Mapping[Trial, Sequence[int]],
        epochs: float = math.inf,
    ) -> list[Trial]:
        """Who goes on beyond those whom a rule keeps: the next best, as long as training takes nearly the same seconds.

        Everybody, where fewer blocks would save less than their recording costs.

        Some of those that end are trained on for the audit. Seats are left for them, where the rule's own do not need
        them, whether there is an audit or not: it must not change who goes on.

        Args:
            kept: Whom the rule keeps.
            next_best: Whom it ends, the best first.
            places: Where the lanes of each trial stood in their generation.
            epochs: For which the batch stays as it is then.
        """
        if self.block == 1 or not next_best:
            return []
        left = round(AUDITED * len(next_best) * len(places[next_best[0]]) / SEAT_CLASSES)
        load = self._load(kept, places)
        blocks = self.blocks(SEAT_CLASSES * max(load.values(), default=0))
        blocks = max(blocks, int(NEARLY * (self.fixed + blocks) - self.fixed))
        saved = self.blocks(self.lanes(place for trial in [*kept, *next_best] for place in places[trial])) - blocks
        if saved <= 0 or saved * epochs <= self.recording:
            return list(next_best)
        return self._fitting(next_best, load, places, blocks * self.block // SEAT_CLASSES - left)

    def seated(
        self, further: Sequence[Trial], trained: Collection[Trial], places: Mapping[Trial, Sequence[int]]
    ) -> list[Trial]:
        """Who of some trials finds seats in the blocks that others take anyway, the first ones first.

        Args:
            further: These trials.
            trained: Those that are trained in any case.
            places: Where the lanes of each trial stood in their generation.
        """
        if self.block == 1:
            return list(further)
        load = self._load(trained, places)
        blocks = self.blocks(SEAT_CLASSES * max(load.values(), default=0))
        return self._fitting(further, load, places, blocks * self.block // SEAT_CLASSES)

    @staticmethod
    def _load(trials: Iterable[Trial], places: Mapping[Trial, Sequence[int]]) -> Counter[int]:
        """How many lanes each class of seats has."""
        return Counter(place % SEAT_CLASSES for trial in trials for place in places[trial])

    @staticmethod
    def _fitting(
        further: Iterable[Trial], load: Counter[int], places: Mapping[Trial, Sequence[int]], seats: int
    ) -> list[Trial]:
        """Who of some trials fits beside a load, where each class has so many seats."""
        found, load = [], Counter(load)
        for trial in further:
            own = Counter(place % SEAT_CLASSES for place in places[trial])
            if all(load[seat] + lanes <= seats for seat, lanes in own.items()):
                found.append(trial)
                load += own
        return found

    def table(self) -> dict[str, Any]:
        """What is stored."""
        return asdict(self)


ONE_BY_ONE = LaneCost(1, 0.0)
"""Where each trial is trained by itself, every lane costs the same."""


def reckoned(*, one_pass: bool, device: str, fixed: float = 1.0, recording: float = 0.0) -> LaneCost:
    """What lanes cost, as far as can be said without a clock.

    With a batch on a processor the fixed part is about what 32 lanes cost, with compiled code half of that:
    `tests/benchmarks/README.md` has the measurements.

    Args:
        one_pass: Whether lanes are trained in one pass.
        device: Where, ``cpu`` or ``cuda``.
        fixed: See `LaneCost`; of an engine whose lanes take one pass.
        recording: The same.
    """
    if not one_pass:
        return ONE_BY_ONE
    return LaneCost(CPU_BLOCK if device == "cpu" else CUDA_BLOCK, fixed, recording)


def stored(table: object) -> LaneCost | None:
    """The costs that a study keeps; None where there are none, or somebody else wrote something there.

    Args:
        table: What is stored.
    """
    if not isinstance(table, Mapping):
        return None
    block, costs = table.get("block"), [table.get("fixed"), table.get("recording", 0.0)]
    if not isinstance(block, int) or isinstance(block, bool) or block < 1:
        return None
    known = [float(own) for own in costs if isinstance(own, (int, float)) and not isinstance(own, bool)]
    return LaneCost(block, *known) if len(known) == len(costs) and all(0 <= own < 1e6 for own in known) else None
