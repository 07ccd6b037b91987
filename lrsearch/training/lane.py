"""A lane: what an engine is given to train, one network of one trial."""

from __future__ import annotations

from dataclasses import dataclass

from lrsearch.schedules.base import Schedule


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
    """

    lr: float
    schedule: Schedule
    seed: int
    place: int | None = None
    trial: int | None = None
