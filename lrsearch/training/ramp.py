"""Train while the learning rate rises exponentially, and note the loss after every update."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lrsearch.errors import Fault, InputError
from lrsearch.schedules.base import Schedule, parameter
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batches import updates_per_epoch
from lrsearch.training.first_update import check_first_update
from lrsearch.training.loop import own_stream, start, updates
from lrsearch.training.range_test import FEWEST_UPDATES, SeedLosses, Watch, grid
from lrsearch.training.room import check_room

SEEDS_END = 2**32
"""Seeds are smaller than this."""
MOST_UPDATES, MOST_SEEDS = 1_000_000, 1000
"""Of one range test."""


@dataclass(frozen=True)
class Ramp(Schedule):
    """The rate rises by the same ratio at every batch: ``factor(t) = ratio ** min(t / (updates - 1), 1)``.

    Not registered, for no study should search it. Source: Smith, "Cyclical Learning Rates for Training Neural
    Networks" (2017), section 3.3, with the exponential ramp that became usual.
    """

    name = "ramp"
    unit = "batch"
    formula = "ratio^(t / (updates - 1))"
    torch_class = "LambdaLR"

    ratio: float = parameter(1e7, "last rate, as a multiple of the first", above=1)
    updates: int = parameter(400, "updates from the first rate to the last", minimum=2, integer=True)

    def shape(self, t: int, horizon: int) -> float:
        return float(self.ratio ** min(t / (self.updates - 1), 1.0))

    def shape_code(self, lr: float, horizon: int) -> str:
        factor = f"{self.ratio!r} ** min(step / {self.updates - 1}, 1.0)"
        return f"scheduler = torch.optim.lr_scheduler.LambdaLR(\n    optimizer, lambda step: {factor}\n)"


@dataclass(frozen=True)
class Plan:
    """What a range test does.

    Attributes:
        low: First learning rate.
        high: Last learning rate.
        updates: Batches between them, both ends included.
        seeds: How many networks climb the ramp, each with initial weights and a data order of its own.

    Raises:
        InputError: At construction, with everything that is wrong.
    """

    low: float = 1e-6
    high: float = 10.0
    updates: int = 400
    seeds: int = 5

    def __post_init__(self) -> None:
        faults = [
            Fault(name, "must be a finite number larger than 0", repr(value))
            for name, value in (("low", self.low), ("high", self.high))
            if not (math.isfinite(value) and value > 0)
        ]
        if not faults and self.high < 10 * self.low:
            faults.append(Fault("high", f"must be at least ten times low = {self.low:g}", repr(self.high)))
        if self.updates < FEWEST_UPDATES:
            faults.append(Fault("batches", f"must be at least {FEWEST_UPDATES}", repr(self.updates)))
        if self.updates > MOST_UPDATES:
            faults.append(Fault("batches", f"must be at most {MOST_UPDATES}", repr(self.updates)))
        if not 1 <= self.seeds <= MOST_SEEDS:
            faults.append(Fault("seeds", f"must be from 1 to {MOST_SEEDS}", repr(self.seeds)))
        if faults:
            raise InputError("range test", faults)


def climb(task: Task, training: TrainingSection, plan: Plan) -> Iterator[SeedLosses]:
    """Train up the ramp, once per seed; the seeds count on from the training section's first.

    Args:
        task: What is trained.
        training: Batch size and optimizer; its epochs do not matter.
        plan: The ramp, and how many seeds.

    Yields:
        The losses of each seed, when it has come to the end of the ramp or has diverged.

    Raises:
        InputError: There is no room to train it here.
    """
    check_room(task, training)
    check_first_update(task, training)
    for number in range(plan.seeds):
        yield _one_seed(task, training, plan, (training.seeds[0] + number) % SEEDS_END)


def _one_seed(task: Task, training: TrainingSection, plan: Plan, seed: int) -> SeedLosses:
    # One update more than on the ramp: the loss that an update leads to shows in the next one's rows.
    epochs = math.ceil((plan.updates + 1) / updates_per_epoch(task, training))
    ramp = Ramp(ratio=plan.high / plan.low, updates=plan.updates)
    run = start(task, ramp, plan.low, training.model_copy(update={"epochs": epochs, "evaluate_every": None}), seed)
    watch = Watch(grid(plan.low, plan.high, plan.updates), seed)
    wanted = True
    with own_stream(run):
        while wanted:
            for loss in updates(run):
                wanted = watch.take(float(loss))
                if not wanted:
                    break
            run.epoch += 1
    return watch.losses()
