"""A single run trained by an engine, in the shape of the shared loop: for repeating a trial to the last bit."""

from __future__ import annotations

from collections.abc import Iterator

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.choice import compiled
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.devices import resolve
from lrsearch.training.engine import Engine, Lane
from lrsearch.training.run import EpochRecord, Run


def train_alone(run: Run, engine: Engine, place: int) -> Iterator[EpochRecord]:
    """Train a run from its first epoch to its last, or until it diverges.

    The run gets its records; its network and optimizer stay as they were, for the engine trains its own.

    Args:
        run: A run before its first epoch.
        engine: What trains it.
        place: Where the trial that is repeated stood in its generation.

    Yields:
        The record of each epoch, when it is finished.
    """
    stream = engine.train(run.task, [Lane(run.lr, run.schedule, run.seed, place)], run.training)
    next(stream)
    for records in stream:
        run.epoch = records.epoch
        run.diverged = bool(records.diverged[0])
        record = EpochRecord(
            epoch=records.epoch,
            lr=float(records.lr[0]),
            train_metric=float(records.train_metric[0]),
            test_metric=float(records.test_metric[0]),
            extra={name: float(values[0]) for name, values in records.extra.items()},
            diverged=run.diverged,
            seconds=records.seconds,
            details={name: values[0] for name, values in records.details.items()},
        )
        run.records.append(record)
        run.stopping.take(record.test_metric)
        yield record


def batched_by(name: str, task: Task, training: TrainingSection) -> BatchedEngine | None:
    """The engine of batches that trained a trial, if it is to be had here.

    Args:
        name: Of the engine; None comes back for any other.
        task: What is trained.
        training: Batch size and optimizer.
    """
    if name == BatchedEngine.name:
        # The device that has the trial's own name may not be here; then the numbers agree to rounding.
        return BatchedEngine(str(resolve("auto")))
    if name == CompiledEngine.name and compiled(task, training, "cpu").ok:
        return CompiledEngine()
    return None
