"""What training a task takes, tried out: which engine, how much memory, how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lrsearch.launch.cores import side_by_side
from lrsearch.launch.gpus import to_share
from lrsearch.pruning import lane_cost
from lrsearch.sampling.ask import generation_size
from lrsearch.study.forecast import Forecast, forecast
from lrsearch.study_file.model import Definition, TrainingSection
from lrsearch.tasks.data import Stream, count
from lrsearch.tasks.sample import Sample, sample
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.batches import epoch_rows
from lrsearch.training.choice import choose
from lrsearch.training.devices import resolve
from lrsearch.training.engine import Engine, SequentialEngine
from lrsearch.training.memory import lane_bytes
from lrsearch.training.parallel import ParallelEngine
from lrsearch.training.seats import BLOCK
from lrsearch.training.timing import epoch_seconds
from lrsearch.training.when_evaluated import evaluations_of


@dataclass(frozen=True)
class Tried:
    """What was found out about a task.

    Attributes:
        engine: ``batched``, or ``sequential`` for the loop that trains one network, by itself or in several processes
            (the parallel engine), as `lanes` says.
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
    chosen = choose("auto", task, training, device, 1 if to_share(device) else side_by_side(1))
    together = chosen.engine != SequentialEngine.name
    place = str(resolve(device))
    one_pass = chosen.engine == BatchedEngine.name
    recording = BatchedEngine(place).recording_cost(task, training) if one_pass else 0.0
    cost = lane_cost.reckoned(one_pass=one_pass, device=resolve(device).type, recording=recording)
    lanes = min(generation_size(definition), definition.trials) * len(training.seeds) if together else 1
    if chosen.engine == ParallelEngine.name:
        # The sequential loop trains it, in several processes.
        chosen, lanes = replace(chosen, engine=SequentialEngine.name), min(lanes, side_by_side(1))
        seconds = _side_by_side(task, training, place, lanes)
    else:
        engine = BatchedEngine(place) if together else SequentialEngine(place)
        seconds = _cost(engine, task, training, lanes)
    return Tried(
        engine=chosen.engine,
        note=chosen.line,
        train_rows=epoch_rows(task, training),
        stream_batches=task.train.steps if isinstance(task.train, Stream) else 0,
        test_rows=count(task.test),
        holdout_rows=0 if task.holdout is None else count(task.holdout),
        parameters=sum(parameter.numel() for parameter in task.model().parameters()),
        lane_bytes=lane_bytes(task, training),
        lanes=lanes,
        epoch_seconds=seconds(lanes) / lanes,
        study=forecast(definition, seconds, together=together, cost=cost, evaluations=evaluations_of(task, training)),
        sample=sample(task),
    )


def _side_by_side(task: Task, training: TrainingSection, place: str, processes: int) -> Callable[[int], float]:
    """Seconds of an epoch as a function of its lanes, which so many processes train one by one."""
    one = epoch_seconds(SequentialEngine(place), task, training, 1)
    return lambda live: one * max(live / processes, 1)


def _cost(engine: Engine, task: Task, training: TrainingSection, lanes: int) -> Callable[[int], float]:
    """Seconds of an epoch as a function of its lanes; the first `BLOCK` cost as much as one."""
    one = epoch_seconds(engine, task, training, 1)
    if not engine.together:
        return lambda live: one * live
    slope = max(epoch_seconds(engine, task, training, lanes) - one, 0.0) / (lanes - BLOCK)
    return lambda live: one + slope * max(live - BLOCK, 0)
