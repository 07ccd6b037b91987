"""One network on its way: its settings, its weights, and what its epochs came to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from lrsearch.schedules.base import Schedule
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.task import Task
from lrsearch.training import random_streams
from lrsearch.training.batch_metrics import Details
from lrsearch.training.batches import DataOrder
from lrsearch.training.divergence import ConstantValues
from lrsearch.training.early_stopping import EarlyStopping
from lrsearch.training.evaluation import Look
from lrsearch.training.precision import Precision
from lrsearch.training.training_batches import TrainingBatches
from lrsearch.training.when_evaluated import Evaluations

State = dict[str, Any]


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to.

    Attributes:
        epoch: Evaluations finished, from 1: epochs, unless `evaluate_every` says otherwise. In that case "epoch" is the
            stretch of updates before an evaluation everywhere below.
        lr: Learning rate of the epoch's first update.
        train_metric: The task's metric over all training rows, in eval mode, after the epoch; NaN after those epochs
            after which `train_metric_every` does not look at it.
        test_metric: The same over all test rows.
        extra: The task's further metrics over all test rows.
        diverged: Whether the run has diverged; it does not go on then.
        seconds: Wall-clock seconds of the epoch, evaluation included.
        details: The task's `details` after the last epoch; name -> [parts]. A checkpoint does not keep them.
    """

    epoch: int
    lr: float
    train_metric: float
    test_metric: float
    extra: Mapping[str, float]
    diverged: bool
    seconds: float
    details: Details = field(default_factory=dict)


@dataclass(frozen=True)
class Before:
    """What a run measured before its first update; divergence is judged against it, among other things."""

    train_loss: float
    train_metric: float
    test_metric: float
    extra: Mapping[str, float]
    details: Details = field(default_factory=dict)


@dataclass(frozen=True)
class BestWeights:
    """What a network was after its best epoch.

    Attributes:
        epoch: Which that was.
        model: The network's `state_dict`.
        average: That of the average of its weights; None without one.
    """

    epoch: int
    model: State
    average: State | None


@dataclass
class Run:
    """One network on its way: all state that the loop advances.

    Made by `start`, advanced by `train`. `epoch` counts evaluations, which follow each epoch unless `evaluate_every`
    says otherwise. Between two of them the run may be looked at, saved, or given another learning rate or schedule.
    `records` holds every one so far; `random_state` is where its own torch stream stands, `streams` where the others
    do. `keep` says whether the weights of the best epoch are kept, too, and `best` has them.
    """

    task: Task
    schedule: Schedule
    lr: float
    training: TrainingSection
    seed: int
    model: nn.Module
    optimizer: torch.optim.Optimizer
    order: DataOrder
    batches: TrainingBatches
    random_state: Tensor
    streams: random_streams.Streams
    precision: Precision
    before: Before
    average: AveragedModel | None = None
    epoch: int = 0
    diverged: bool = False
    keep: Literal["last", "best"] = "last"
    best: BestWeights | None = None
    records: list[EpochRecord] = field(default_factory=list)
    horizon: int = field(init=False)
    schedule_state: object = field(init=False)
    constants: ConstantValues = field(init=False)
    stopping: EarlyStopping = field(init=False)
    evaluations: Evaluations = field(init=False)

    def __post_init__(self) -> None:
        self.constants = ConstantValues(self.task)
        self.stopping = EarlyStopping.of(self.training, maximise=self.task.maximises)
        self.evaluations = Evaluations.of(self.training, self.updates_per_epoch)
        every = self.training.evaluate_every
        self.horizon = self.schedule.steps(self.training.epochs, self.updates_per_epoch, every)
        self.schedule_state = self.schedule.initial_state(self.horizon, self.updates_per_step)

    @property
    def best_record(self) -> EpochRecord | None:
        """Of the best epoch so far by the test metric, the first of equal ones; None before there is one."""
        sign = -1 if self.task.maximises else 1
        known = [record for record in self.records if not math.isnan(record.test_metric)]
        return min(known, key=lambda record: sign * record.test_metric, default=None)

    @property
    def evaluated(self) -> nn.Module:
        """The network as it is evaluated, with the average of its weights if there is one."""
        return self.model if self.average is None else self.average.module

    @property
    def updates_per_epoch(self) -> int:
        return math.ceil(self.order.batches_per_epoch / self.training.accumulate)

    @property
    def look(self) -> Look:
        """How the network is looked at."""
        return Look(self.task, self.evaluated, self.precision, self.training, self.seed)

    @property
    def updates_per_step(self) -> int:
        """Updates in a step of the schedule."""
        return self.schedule.updates_per_step(self.updates_per_epoch, self.training.evaluate_every)

    @property
    def updates(self) -> int:
        """Updates finished."""
        return self.evaluations.updates_until(self.epoch)

    @property
    def epochs_done(self) -> float:
        """Epochs finished; a whole number wherever it is one."""
        whole, rest = divmod(self.updates, self.updates_per_epoch)
        return whole + rest / self.updates_per_epoch if rest else whole

    @property
    def is_trained(self) -> bool:
        """Whether its last update is done."""
        return self.epoch == self.evaluations.count

    @property
    def order_state(self) -> Tensor:
        """Where its data order's stream stood when the epoch began that is not finished; now, if there is none."""
        within = self.updates % self.updates_per_epoch
        return self.order.before if within else self.order.generator.get_state()

    def rate(self, number: int) -> float:
        """Learning rate of an update that is to come.

        Args:
            number: The update, from 0 since the last evaluation.
        """
        step, update = divmod(self.updates + number, self.updates_per_step)
        return self.schedule.rate(
            self.lr, step, self.horizon, self.schedule_state, update=update, updates=self.updates_per_step
        )
