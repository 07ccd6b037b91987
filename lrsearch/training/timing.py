"""How long an epoch takes: measured on some of the rows, and scaled up to all of them. Which engine is faster."""

from __future__ import annotations

from dataclasses import replace

from lrsearch.errors import InputError, LrsearchError, input_error
from lrsearch.schedules.classical import Constant
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import Stream, count, first
from lrsearch.tasks.error_location import sentence
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.batches import epoch_rows, updates_per_epoch
from lrsearch.training.engine import Engine, Lane, SequentialEngine
from lrsearch.training.when_evaluated import Evaluations

BATCHES = 20
"""An epoch of more batches is measured on so many, and on as large a share of the test rows."""
EPOCHS = 3
"""The first of them warms caches up and does not count."""
LR = 1e-6
"""So small that nothing diverges, for what has diverged is not trained on."""


FEW_BATCHES = 3
"""Enough to tell which engine is faster."""
CPU_LANES, CUDA_LANES = 32, 256
"""A batch that is worth it: on a graphics processor fewer lanes leave it idle."""


def gain(task: Task, training: TrainingSection, device: str = "cpu") -> float:
    """How many times as many trials the batched engine trains in the same time as the sequential one.

    Args:
        task: What is trained; the batched engine is right for it.
        training: Batch size and optimizer.
        device: Where.
    """
    batched, sequential = BatchedEngine(device), SequentialEngine(device)
    lanes = CUDA_LANES if batched.device.type == "cuda" else CPU_LANES
    one = epoch_seconds(sequential, task, training, 1, FEW_BATCHES)
    return one * lanes / epoch_seconds(batched, task, training, lanes, FEW_BATCHES)


def epoch_seconds(engine: Engine, task: Task, training: TrainingSection, lanes: int, batches: int = BATCHES) -> float:
    """Wall-clock seconds that an epoch of some lanes takes, updates and evaluation.

    Args:
        engine: What trains them.
        task: What is trained.
        training: Batch size and optimizer.
        lanes: How many are trained at once.
        batches: An epoch of more is measured on so many.

    Raises:
        InputError: The task cannot be trained.
    """
    rows = epoch_rows(task, training)
    # The last batch of an epoch is often a short one, and some models fail on it alone.
    few = min(rows, batches * training.batch_size + rows % training.batch_size)
    train = task.train
    train = replace(train, steps=min(batches, train.steps)) if isinstance(train, Stream) else first(train, few)
    part = replace(task, train=train, test=first(task.test, -(-count(task.test) * few // rows)))
    seeds = [(training.seeds[0] + lane) % 2**32 for lane in range(lanes)]
    every = _as_often(part, training, rows / few)
    # At such a rate hardly anything improves, and patience would end it.
    section = training.model_copy(
        update={"epochs": EPOCHS, "evaluate_every": every, "patience": None, "min_delta": 0.0}
    )
    try:
        records = list(engine.train(part, [Lane(LR, Constant(), seed) for seed in seeds], section))
    except (InputError, LrsearchError):
        raise
    except Exception as error:
        raise input_error("task", f"fails while it trains: {sentence(error)}") from error
    if section.evaluate_every is None:
        return min(record.seconds for record in records[-(EPOCHS - 1) :]) * rows / few
    per_epoch = updates_per_epoch(part, section)
    ends = Evaluations.of(section, per_epoch).updates_until
    late = [record for record in records if ends(record.epoch) > per_epoch]
    updates = EPOCHS * per_epoch - ends(late[0].epoch - 1)
    return sum(record.seconds for record in late) * per_epoch / updates * rows / few


def _as_often(part: Task, training: TrainingSection, times: float) -> int | None:
    """Updates from one evaluation to the next on some of the rows, so that an epoch of those has as many evaluations.

    Args:
        part: The task with those rows; each evaluation looks at a part of the test rows, too.
        training: Of the whole task.
        times: How many times as many rows that has.

    Returns:
        None where it is one for an epoch, or fewer.
    """
    every = training.evaluate_every
    every = every and max(1, round(every / times))
    return every if every and every < updates_per_epoch(part, training) else None
