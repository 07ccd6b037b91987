"""The audit of a pruner: some of the trials that it ends are trained on, to see what they would have come to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrsearch.pruning.lane_cost import AUDITED, ONE_BY_ONE, LaneCost, Trial
from lrsearch.pruning.pruners import audit_share
from lrsearch.study_file.model import Definition

STREAM = 0xA0D17
"""Sets these random numbers apart from those that choose the settings of the same trial."""


@dataclass(frozen=True)
class Audit:
    """Says which of the trials that end are trained on.

    In a batch it takes the seats that would be empty: one lane too many would take as long as a whole block of them.
    Where a lane sits has nothing to do with how good it is. Who asks for more than `lane_cost.AUDITED` gets all of it.

    Attributes:
        seed: The study's seed.
        share: Of the trials that end.
        cost: What lanes cost that are trained together.
    """

    seed: int = 0
    share: float = 0.0
    cost: LaneCost = ONE_BY_ONE

    @classmethod
    def of(cls, definition: Definition, cost: LaneCost = ONE_BY_ONE) -> Audit:
        """The audit of a study.

        Args:
            definition: The study's definition.
            cost: What lanes cost that are trained together.
        """
        return cls(int(definition.sampler.options.get("seed", 0)), audit_share(definition), cost)

    def chosen(
        self, ended: Mapping[Trial, int], trained: Collection[Trial], places: Mapping[Trial, Sequence[int]]
    ) -> list[Trial]:
        """Who is trained on of some trials that end at a rung.

        Args:
            ended: These trials, and their numbers.
            trained: Those that are trained on in any case.
            places: Where the lanes of each trial stood in their generation.
        """
        drawn = [trial for trial, number in ended.items() if is_chosen(self.seed, number, self.share)]
        return drawn if self.share > AUDITED else self.cost.seated(drawn, trained, places)


NO_AUDIT = Audit()


def is_chosen(seed: int, number: int, share: float) -> bool:
    """Whether a trial is drawn for the audit, should the pruner end it: from seed and number, so any process says the
    same.

    Args:
        seed: The study's seed.
        number: The trial's number.
        share: Of all trials; those that a smaller share chooses are among them.
    """
    if share == 0.0:
        return False
    source = np.random.SeedSequence(seed, spawn_key=(STREAM, number))
    return bool(np.random.default_rng(source).random() < share)
