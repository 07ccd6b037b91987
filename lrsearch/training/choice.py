"""Which engine trains a task."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from lrsearch.errors import input_error, nearest
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.command_task import CommandTask
from lrsearch.tasks.task import Task
from lrsearch.training.batched import BatchedEngine
from lrsearch.training.command_engine import CommandEngine
from lrsearch.training.compiled.engine import CompiledEngine
from lrsearch.training.devices import resolve
from lrsearch.training.engine import Engine, SequentialEngine
from lrsearch.training.first_update import check_first_update
from lrsearch.training.known_outcome import KnownOutcome
from lrsearch.training.parallel import ParallelEngine
from lrsearch.training.precision import check_precision
from lrsearch.training.probe import ProbeOutcome, probe
from lrsearch.training.resumable import KEPT_ELSEWHERE, is_resumable
from lrsearch.training.room import check_room
from lrsearch.training.timing import gain

ENGINES = ("auto", "sequential", "batched", "parallel", "compiled")
WORTH_IT = 0.9
"""Below this gain the batched engine is not chosen. Less than 1: a measurement near it must not tip the scales."""
CLEAR = 2.0
"""A gain from here on is kept for the next run: no busy minute turns it into the other choice. Others are not."""


@dataclass(frozen=True)
class Choice:
    """An engine by its name.

    Attributes:
        engine: ``sequential``, ``batched``, ``parallel`` or ``compiled``.
        note: What else a person should know.
        reason: Why not a batch; empty where it is one, or where a person named the engine.
        right_in_batches: Whether a batch came out as one by one when it was tried, for `auto` to choose between.
    """

    engine: str
    reason: str = ""
    note: str = ""
    right_in_batches: bool = False

    @property
    def claims_alone(self) -> bool:
        """Whether each process that shares a study takes trials for itself; those of `parallel` train for one run."""
        return self.engine != ParallelEngine.name

    @property
    def line(self) -> str:
        """What a person is told."""
        return f"engine: {self.engine}" + (f" ({self.reason})" if self.reason else "") + self.note


def choose(
    name: str,
    task: Task,
    training: TrainingSection,
    device: str = "auto",
    processes: int = 1,
    known_as: str | None = None,
) -> Choice:
    """Which engine trains a task.

    Args:
        name: ``auto`` takes the batched engine if it trains this task as the sequential loop does and is not slower;
            otherwise the parallel one if it can train trials side by side, and else the sequential one.
        task: What is trained.
        training: Batch size and optimizer.
        device: ``auto``, ``cpu`` or ``cuda``.
        processes: How many could train side by side.
        known_as: The task's name and options: what an earlier process found out about it on this machine is not tried
            again. By default everything is tried.

    Raises:
        InputError: The name or device is unknown, or the engine that is asked for is not right for the task, or there
            is no room to train it.
    """
    if isinstance(task, CommandTask):
        return _for_command(name, task)
    check_name(name)
    place = str(resolve(device))
    check_precision(training, torch.device(place))
    if place == "cpu":
        check_room(task, training)
    check_first_update(task, training)
    if name == "sequential":
        return Choice(name)
    if name == "parallel":
        if not is_resumable(task, training, torch.device(place)):
            raise _refused(name, KEPT_ELSEWHERE)
        return Choice(name)
    outcome, faster = _tried_out(task, training, place, known_as, timed=name == "auto")
    if outcome.ok and name == "compiled":
        outcome = compiled(task, training, place, known_as)
    if outcome.ok and (name != "auto" or faster >= WORTH_IT):
        return Choice(BatchedEngine.name, right_in_batches=True) if name == "auto" else Choice(name)
    if name != "auto":
        raise _refused(name, outcome.reason)
    reason = f"batches would be right here, but take {1 / faster:.1f} times as long" if outcome.ok else outcome.reason
    side_by_side = processes > 1 and is_resumable(task, training, torch.device(place))
    return Choice("parallel" if side_by_side else "sequential", reason, right_in_batches=outcome.ok)


def _tried_out(
    task: Task, training: TrainingSection, place: str, known_as: str | None, *, timed: bool
) -> tuple[ProbeOutcome, float]:
    """Whether a batch is right, and how many times as many trials it trains (if that is asked, and it is right)."""
    known = KnownOutcome(known_as, task, training, place)
    if (before := known.gain()) is not None:
        return ProbeOutcome(True), before
    outcome = ProbeOutcome(True) if known.is_right() else probe(task, training, place)
    faster = gain(task, training, place) if outcome.ok and timed else math.nan
    if outcome.ok:
        known.keep(faster if faster >= CLEAR else None)
    return outcome, faster


def compiled(task: Task, training: TrainingSection, place: str, known_as: str | None = None) -> ProbeOutcome:
    """Whether compiled code is to be had for a task, and right: compiled, and tried out beside the sequential loop.

    Args:
        task: What is trained; a batch is right for it.
        training: Batch size and optimizer.
        place: The device.
        known_as: See `choose`.
    """
    if torch.device(place).type != "cpu":
        return ProbeOutcome(False, "compiled code runs on the CPU; add --device cpu")
    known = KnownOutcome(None if known_as is None else f"compiled {known_as}", task, training, place)
    if known.is_right():
        return ProbeOutcome(True)
    outcome = probe(task, training, place, CompiledEngine(place).batch, twice=False)
    if outcome.ok:
        known.keep()
    return outcome


def choose_engine(
    name: str, task: Task, training: TrainingSection, device: str = "auto", processes: int = 1
) -> tuple[Engine, str]:
    """The engine, and one line that says which and why. The parallel one trains in this process.

    Args:
        name: See `choose`.
        task: See `choose`.
        training: See `choose`.
        device: See `choose`.
        processes: See `choose`.

    Raises:
        InputError: See `choose`.
    """
    chosen = choose(name, task, training, device, processes)
    if chosen.engine == CommandEngine.name:
        return CommandEngine(), chosen.line
    place = str(resolve(device))
    made: dict[str, Callable[[str], Engine]]
    made = {own.name: own for own in (SequentialEngine, BatchedEngine, ParallelEngine, CompiledEngine)}
    return made[chosen.engine](place), chosen.line


def check_name(name: str) -> None:
    """Refuse the name of an engine that there is not.

    Args:
        name: What `--engine` says.

    Raises:
        InputError: There is none.
    """
    if name not in ENGINES:
        rule = f"must be one of {', '.join(ENGINES)}"
        raise input_error("command line", rule, key="--engine", received=f'"{name}"', nearest=nearest(name, ENGINES))


def _refused(name: str, reason: str) -> Exception:
    return input_error("command line", f"cannot train this task: {reason}", key="--engine", received=f'"{name}"')


def _for_command(name: str, task: CommandTask) -> Choice:
    if name != "auto":
        rule = f"study {task.study} runs a command, so it has no task that an engine could train; leave the option out"
        raise input_error("command line", rule, key="--engine", received=f'"{name}"')
    return Choice(CommandEngine.name, note=f"; the output of each run is kept in {task.folder}")
