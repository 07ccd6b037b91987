"""What training a task takes, tried out: which engine, how much memory, how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lrsearch.sampling.ask import generation_size
from lrsearch.study.forecast import Forecast, forecast
from lrsearch.study_file.model import Definition, TrainingSection
from lrsearch.tasks.data import Stream, count
from lrsearch.tasks.sample import Sample, sample
from lrsearch.tasks.task import Task
from lrsearch.training.batches import epoch_rows
from lrsearch.training.choice import choose_engine
from lrsearch.training.engine import Engine
from lrsearch.training.memory import lane_bytes
from lrsearch.training.seats import BLOCK
from lrsearch.training.timing import epoch_seconds


@dataclass(frozen=True)
class Tried:
    """What was found out about a task.

    Attributes:
        engine: Name of the engine that trains it.
        note: One line that says which engine, and if it is the sequential one, why.
        train_rows: Rows that are trained on in an epoch.
        stream_batches: Batches that are called an epoch where training rows come from a stream; 0 otherwise.
        test_rows: Rows that the search judges by.
        holdout_rows: Rows that it never sees; 0 if there are none.
        parameters: Numbers in the network.
        lane_bytes: Estimated memory of one trial in training.
        lanes: Trials that are trained at once.
        epoch_seconds: Measured seconds of an epoch, divided by `lanes`.
        study: What a study would cost.
        sample: What the network gives for a few test rows before it is trained.
    """

    engine: str
    note: str
    train_rows: int
    stream_batches: int
    test_rows: int
    holdout_rows: int
    parameters: int
    lane_bytes: int
    lanes: int
    epoch_seconds: float
    study: Forecast
    sample: Sample


def try_out(task: Task, definition: Definition, device: str) -> Tried:
    """Take a few steps with a task.

    Args:
        task: What would be trained.
        definition: A study of it, for its training section, sampler and pruner.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        InputError: There is no such device, or the task cannot be trained.
    """
    training = definition.training
    engine, note = choose_engine("auto", task, training, device)
    lanes = min(generation_size(definition), definition.trials) * len(training.seeds) if engine.together else 1
    seconds = _cost(engine, task, training, lanes)
    return Tried(
        engine=engine.name,
        note=note,
        train_rows=epoch_rows(task, training),
        stream_batches=task.train.steps if isinstance(task.train, Stream) else 0,
        test_rows=count(task.test),
        holdout_rows=0 if task.holdout is None else count(task.holdout),
        parameters=sum(parameter.numel() for parameter in task.model().parameters()),
        lane_bytes=lane_bytes(task, training),
        lanes=lanes,
        epoch_seconds=seconds(lanes) / lanes,
        study=forecast(definition, seconds, together=engine.together),
        sample=sample(task),
    )


def _cost(engine: Engine, task: Task, training: TrainingSection, lanes: int) -> Callable[[int], float]:
    """Seconds of an epoch as a function of its lanes; the first `BLOCK` cost as much as one."""
    one = epoch_seconds(engine, task, training, 1)
    if not engine.together:
        return lambda live: one * live
    slope = max(epoch_seconds(engine, task, training, lanes) - one, 0.0) / (lanes - BLOCK)
    return lambda live: one + slope * max(live - BLOCK, 0)
