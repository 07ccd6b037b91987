"""Which engine trains a task."""

from __future__ import annotations

import torch

from lrsearch.errors import input_error, nearest
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.command_task import CommandTask
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.command_engine import CommandEngine
from lrsearch.training.devices import resolve
from lrsearch.training.engine import Engine, SequentialEngine
from lrsearch.training.first_update import check_first_update
from lrsearch.training.precision import check_precision
from lrsearch.training.probe import probe
from lrsearch.training.room import check_room
from lrsearch.training.timing import gain

ENGINES = ("auto", "sequential", "batched")
WORTH_IT = 0.9
"""Below this gain the batched engine is not chosen. Less than 1: a measurement near it must not tip the scales."""


def choose_engine(name: str, task: Task, training: TrainingSection, device: str = "auto") -> tuple[Engine, str]:
    """The engine, and one line that says which and why.

    Args:
        name: ``auto`` takes the batched engine if it trains this task as the sequential loop does and is not slower,
            and the sequential one otherwise.
        task: What is trained.
        training: Batch size and optimizer.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        InputError: The name or device is unknown, or the batched engine is asked for and is not right for the task,
            or there is no room to train it.
    """
    if isinstance(task, CommandTask):
        return _for_command(name, task)
    if name not in ENGINES:
        rule = f"must be one of {', '.join(ENGINES)}"
        raise input_error("command line", rule, key="--engine", received=f'"{name}"', nearest=nearest(name, ENGINES))
    place = str(resolve(device))
    check_precision(training, torch.device(place))
    if place == "cpu":
        check_room(task, training)
    check_first_update(task, training)
    if name == "sequential":
        return SequentialEngine(place), "engine: sequential"
    outcome = probe(task, training, place)
    if outcome.ok and (name == "batched" or (faster := gain(task, training, place)) >= WORTH_IT):
        return BatchedEngine(place), "engine: batched"
    if outcome.ok:
        reason = f"batches would be right here, but take {1 / faster:.1f} times as long"
        return SequentialEngine(place), f"engine: sequential ({reason})"
    if name == "batched":
        raise input_error(
            "command line", f"cannot train this task: {outcome.reason}", key="--engine", received='"batched"'
        )
    return SequentialEngine(place), f"engine: sequential ({outcome.reason})"


def _for_command(name: str, task: CommandTask) -> tuple[Engine, str]:
    if name != "auto":
        rule = f"study {task.study} runs a command, so it has no task that an engine could train; leave the option out"
        raise input_error("command line", rule, key="--engine", received=f'"{name}"')
    return CommandEngine(), f"engine: command; the output of each run is kept in {task.folder}"
