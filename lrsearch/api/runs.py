"""Train once from Python: under a schedule, or steered by hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lrsearch.errors import InputError, input_error
from lrsearch.schedules.base import Schedule
from lrsearch.tasks.definition import TaskDefinition
from lrsearch.tasks.task import Task
from lrsearch.training import best_weights, checkpoint, loop, steering
from lrsearch.training import definition as definitions
from lrsearch.training.definition import RunDefinition
from lrsearch.training.engine import threads_of
from lrsearch.training.outcome import Outcome, outcome
from lrsearch.training.run import Before, EpochRecord, Run

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


@dataclass
class TrainingRun:
    """One network on its way; `start`, `train` and `resume` make it.

    Attributes:
        definition: What it is: task, training settings, learning rate, schedule.
        state: What the training loop advances.
        threads: torch's CPU threads while it trains; another count changes the last bits.
    """

    definition: RunDefinition
    state: Run
    threads: int

    @property
    def task(self) -> Task:
        """Data, loss and metric."""
        return self.state.task

    @property
    def model(self) -> nn.Module:
        """The network itself, not a copy."""
        return self.state.model

    @property
    def averaged_model(self) -> nn.Module | None:
        """The network with the average of its weights, which is evaluated; None without ``ema``."""
        return None if self.state.average is None else self.state.average.module

    @property
    def best_model(self) -> nn.Module | None:
        """A copy of the network (of its average, with ``ema``) as it was after its best epoch by the test metric.

        None without ``keep="best"``.
        """
        return best_weights.best_model(self.state)

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer itself, not a copy."""
        return self.state.optimizer

    @property
    def records(self) -> list[EpochRecord]:
        """What every epoch so far came to."""
        return self.state.records

    @property
    def before(self) -> Before:
        """What the network measured before its first update."""
        return self.state.before

    @property
    def diverged(self) -> bool:
        return self.state.diverged

    @property
    def outcome(self) -> Outcome:
        """What the run came to so far: first, last and best numbers, and the code that does the same."""
        return outcome(self.definition, self.state)

    @property
    def code(self) -> str:
        """Lines of torch code with the same settings, or with the schedule that a hand has made."""
        return self.outcome.code

    def train(self, epochs: int | None = None) -> list[EpochRecord]:
        """Train on under the run's schedule.

        Args:
            epochs: How many epochs; by default up to the number the run was started for.

        Returns:
            The record of each new epoch (of each new evaluation, with ``evaluate_every``); none after the run has
            diverged.

        Raises:
            InputError: With ``evaluate_every`` it cannot stop between two evaluations, so it is trained to its end.
        """
        if epochs is not None and (every := self.state.training.evaluate_every) is not None:
            rule = f"a run with evaluate_every = {every} is trained to its end: leave epochs out"
            raise input_error("train", rule, key="epochs", received=str(epochs))
        with threads_of(self.threads):
            return list(loop.train(self.state, epochs))

    def steer(self, *, epochs: int, lr: float | None = None) -> list[EpochRecord]:
        """One round by hand: give the run another learning rate and train on from where it is.

        Args:
            epochs: How many epochs.
            lr: The rate of this round; by default the one the run has.

        Returns:
            The record of each new epoch; fewer than `epochs` if the run diverges.

        Raises:
            InputError: A number breaks its rule, the run has a schedule of its own, or it has diverged.

        Example:
            >>> run = lrsearch.start("polynomial", lr=0.05)
            >>> run.steer(epochs=10)
            >>> run.steer(epochs=10, lr=0.01)
            >>> print(run.code)
        """
        with threads_of(self.threads):
            return list(steering.steer(self.state, epochs=epochs, lr=lr))

    def save(self, file: str | os.PathLike[str]) -> None:
        """Write a checkpoint, from which `resume` goes on.

        Args:
            file: Where; its folder exists. The file is the former one or the new one, whole.
        """
        with threads_of(self.threads):
            checkpoint.save(Path(file), self.definition, self.state)

    def __repr__(self) -> str:
        """One line, for notebooks."""
        how = self.definition.schedule.describe()
        return f"<run of {self.definition.task.name}: {how}, lr {self.state.lr:g}, {self.state.epochs_done:.4g} epochs>"


def start(
    task: str | TaskDefinition,
    *,
    lr: float,
    scheduler: str | Schedule = "constant",
    epochs: int = 60,
    seed: int = 24,
    task_options: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    threads: int = 1,
    keep: Literal["last", "best"] = "last",
    **parameters: float,
) -> TrainingRun:
    """A run before its first epoch.

    Args:
        task: Name of a registered task, or a function decorated with `lrsearch.task`.
        lr: Initial learning rate.
        scheduler: Scheduler type, such as ``"lambda"``, or a schedule, such as ``schedules.Lambda(decay=0.95)``.
        epochs: How many epochs the schedule is laid out for.
        seed: Decides initial weights and data order.
        task_options: What a study file would have in its ``[task]`` section beside the name.
        training: What it would have in ``[training]``: ``batch_size``, ``optimizer``, ``momentum``, ...
        threads: CPU threads of torch, only while this run trains.
        keep: ``best`` also keeps the weights of the best epoch by the test metric: `TrainingRun.best_model`.
        **parameters: The scheduler's own parameters, such as ``decay=0.95``.

    Raises:
        InputError: With everything that is wrong.

    Example:
        >>> run = lrsearch.start("polynomial", lr=0.05, scheduler="lambda", decay=0.95)
        >>> run.train(epochs=5)
    """
    definition = definitions.parse(
        {
            "task": {"name": _name(task), **(task_options or {})},
            "training": {**(training or {}), "epochs": epochs, "seeds": [seed]},
            "lr": lr,
            **_schedule(scheduler, parameters),
        },
        "train",
    )
    if keep not in ("last", "best"):
        raise input_error("train", "must be last or best", key="keep", received=repr(keep))
    run = _begun(definition, threads)
    run.state.keep = keep
    return run


def train(
    task: str | TaskDefinition,
    *,
    lr: float,
    scheduler: str | Schedule = "constant",
    epochs: int = 60,
    seed: int = 24,
    task_options: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    threads: int = 1,
    keep: Literal["last", "best"] = "last",
    **parameters: float,
) -> TrainingRun:
    """Train once, from initial weights to the last epoch; the same as ``lrsearch train``, to the last bit.

    Args:
        task: See `start`, also for the other arguments.
        lr: Initial learning rate.
        scheduler: Scheduler type, or a schedule.
        epochs: Passes over the training rows.
        seed: Decides initial weights and data order.
        task_options: Options of the task.
        training: Further training settings.
        threads: CPU threads of torch, only while this run trains.
        keep: ``best`` also keeps the weights of the best epoch by the test metric: `TrainingRun.best_model`.
        **parameters: The scheduler's own parameters.

    Returns:
        The run at its end; a run that diverged ended early, and says so in `TrainingRun.diverged`.

    Raises:
        InputError: With everything that is wrong.

    Example:
        >>> run = lrsearch.train("polynomial", lr=0.05, scheduler="lambda", decay=0.95)
        >>> run.records[-1].test_metric
        >>> lrsearch.plot_run(run)
    """
    run = start(
        task, lr=lr, scheduler=scheduler, epochs=epochs, seed=seed, task_options=task_options, training=training,
        threads=threads, keep=keep, **parameters,
    )  # fmt: skip
    run.train()
    return run


def resume(file: str | os.PathLike[str], *, epochs: int | None = None) -> TrainingRun:
    """A run from its checkpoint, ready to go on as if it had never stopped.

    Args:
        file: What `TrainingRun.save` or ``lrsearch train --checkpoint`` wrote.
        epochs: Another number of epochs than it was started for, where its schedule allows that.

    Raises:
        InputError: There is no such file, it is no checkpoint, its task has changed, or the schedule is laid out
            for its number of epochs.

    Example:
        >>> run = lrsearch.resume("run.ckpt")
        >>> run.train()
    """
    saved = checkpoint.read(Path(file))
    stored = wanted = definitions.parse(saved.document, f"checkpoint {file}")
    if epochs is not None:
        wanted = definitions.parse({**saved.document, "training": {**saved.document["training"], "epochs": epochs}},
                                   "resume")  # fmt: skip
    run = _begun(wanted, saved.threads)
    checkpoint.restore(saved, run.state)
    if faults := checkpoint.check_epochs(stored, wanted, run.state):
        raise InputError("resume", faults)
    return run


def _begun(definition: RunDefinition, threads: int) -> TrainingRun:
    with threads_of(threads):
        return TrainingRun(definition, definition.start(definition.build_task()), threads)


def _name(task: object) -> str:
    if isinstance(task, TaskDefinition):
        return task.name
    if isinstance(task, str):
        return task
    rule = "must be the name of a task, or a function decorated with lrsearch.task"
    raise input_error("train", rule, key="task", received=f"a {type(task).__name__}")


def _schedule(scheduler: str | Schedule, parameters: Mapping[str, float]) -> dict[str, Any]:
    """The keys of a run's document that say how the rate goes."""
    if isinstance(scheduler, str):
        return {"scheduler": scheduler, "parameters": parameters}
    # Its own values are right already; what is given beside them is checked like any other parameter.
    return {"scheduler": scheduler.name, "parameters": {**scheduler.values(), **parameters}}
