"""A lane: what an engine is given to train, one network of one trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lrsearch.schedules.base import Schedule
from lrsearch.study_file.model import TrainingSection


@dataclass(frozen=True)
class Lane:
    """One network to train: settings and a seed.

    Attributes:
        lr: Initial learning rate.
        schedule: How it goes.
        seed: Decides initial weights and data order.
        trial: Number of its trial; None for a run that belongs to none.
        place: Where it stood in its generation; by default where it stands in the list given to the engine. The
            batched engine repeats a lane's last bits at the same place, modulo `seats.CLASSES`.
        training: Its own training section, where lanes differ in more than settings; None for that of them all. Only
            lanes that agree in all but an engine's `may_differ` can be one batch.
        options: The options that its task was made with, where lanes differ in them; lanes that an engine is given
            together agree in them.
    """

    lr: float
    schedule: Schedule
    seed: int
    place: int | None = None
    trial: int | None = None
    training: TrainingSection | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def section(self, of_all: TrainingSection) -> TrainingSection:
        """What it is trained with.

        Args:
            of_all: The section of the lanes that have none of their own.
        """
        return of_all if self.training is None else self.training
