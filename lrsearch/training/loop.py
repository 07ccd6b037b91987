"""The one training loop. It yields what happened in each epoch; who asks decides what to do about it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from lrsearch.errors import input_error
from lrsearch.schedules.base import Schedule
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks import nest
from lrsearch.tasks.data import same_random_numbers
from lrsearch.tasks.parameter_groups import groups_of
from lrsearch.tasks.task import Task
from lrsearch.training import optimizers, random_streams
from lrsearch.training.batch_metrics import LOSS, Details
from lrsearch.training.batches import DataOrder, epoch_rows
from lrsearch.training.divergence import ConstantValues, diverged
from lrsearch.training.early_stopping import EarlyStopping
from lrsearch.training.evaluation import Look, details_after, evaluate_in_detail, evaluate_rows, shows_train_metric
from lrsearch.training.precision import Precision, check_precision
from lrsearch.training.reading import Batch
from lrsearch.training.training_batches import TrainingBatches
from lrsearch.training.weight_average import average_of

State = dict[str, Any]


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to.

    Attributes:
        epoch: Epochs finished, from 1.
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

    Made by `start`, advanced by `train`. Between two epochs it may be looked at, saved, or given another learning
    rate or schedule. `records` holds every epoch so far; `random_state` is where its own torch stream stands, `streams`
    where the others do. `keep` says whether the weights of the best epoch are kept, too, and `best` has them.
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

    def __post_init__(self) -> None:
        self.constants = ConstantValues(self.task)
        self.stopping = EarlyStopping.of(self.training, maximise=self.task.maximises)
        self.horizon = self.schedule.steps(self.training.epochs, self.updates_per_epoch)
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
        return self.schedule.updates_per_step(self.updates_per_epoch)

    def rate(self, number: int) -> float:
        """Learning rate of an update of the current epoch.

        Args:
            number: The update, from 0.
        """
        step, update = divmod(self.epoch * self.updates_per_epoch + number, self.updates_per_step)
        return self.schedule.rate(
            self.lr, step, self.horizon, self.schedule_state, update=update, updates=self.updates_per_step
        )


def start(
    task: Task, schedule: Schedule, lr: float, training: TrainingSection, seed: int, before: Before | None = None
) -> Run:
    """A run before its first epoch. Draws from no random stream but its own.

    Args:
        task: What is trained.
        schedule: How the learning rate goes.
        lr: Initial learning rate.
        training: Epochs, batch size, optimizer.
        seed: Decides initial weights and data order.
        before: What it measured before its first update, where that is known from an earlier start.

    Raises:
        InputError: The training section wants mixed precision, and the network is not on a CUDA device.
    """
    with same_random_numbers():
        random_streams.begin(seed)
        model = task.model()
        device = device_of(model)
        # A script that makes its loaders after the model goes on with the stream from here.
        stream = torch.Generator()
        stream.set_state(torch.get_rng_state())
        random_state, streams = torch.get_rng_state(), random_streams.beside_torch(device)
        check_precision(training, device)
        precision = Precision(training.precision, device)
        before = before or _before(Look(task, model, precision, training, seed))
    return Run(
        task=task,
        schedule=schedule.directed(task.maximises),
        lr=lr,
        training=training,
        seed=seed,
        model=model,
        optimizer=optimizers.build(training, groups_of(task.parameters, model), lr),
        order=DataOrder(stream, epoch_rows(task, training), training.batch_size, drop_last=training.drop_last),
        batches=TrainingBatches(task.train, training, seed, device),
        random_state=random_state,
        streams=streams,
        precision=precision,
        before=before,
        average=average_of(model, training),
    )


def train(run: Run, epochs: int | None = None) -> Iterator[EpochRecord]:
    """Train on, one record per epoch, until the horizon, or until the run diverges or its patience ends.

    Args:
        run: Where to go on from; it is advanced.
        epochs: Stop after so many; by default at the last epoch of the run's training section.

    Yields:
        The record of each epoch, when it is finished.
    """
    last = run.training.epochs if epochs is None else run.epoch + epochs
    while run.epoch < last and not run.diverged and not run.stopping.has_stopped:
        yield _one_epoch(run)


def _one_epoch(run: Run) -> EpochRecord:
    began = time.perf_counter()
    lr = run.rate(0)
    with looking(run):
        # Compared as tensors: a Python number per batch would cost time. NaN if any loss was.
        worst_loss = float(torch.stack(list(updates(run))).max())
        _keep_streams(run)
        train_metric, test, details = _evaluated(run, run.epoch + 1)
    run.epoch += 1
    test_metric = test.pop("metric")
    run.schedule_state = run.schedule.update(run.schedule_state, test_metric)
    run.diverged = diverged(worst_loss, run.before.train_loss, constant=run.constants.loss) or diverged(
        test_metric, run.before.test_metric, maximise=run.task.maximises, constant=run.constants.metric
    )
    record = EpochRecord(
        epoch=run.epoch,
        lr=lr,
        train_metric=train_metric,
        test_metric=test_metric,
        extra=test,
        diverged=run.diverged,
        seconds=time.perf_counter() - began,
        details=details,
    )
    run.records.append(record)
    run.stopping.take(test_metric)
    if run.keep == "best" and run.best_record is record:
        average = None if run.average is None else deepcopy(run.average.state_dict())
        run.best = BestWeights(run.epoch, deepcopy(run.model.state_dict()), average)
    return record


def _evaluated(run: Run, epoch: int) -> tuple[float, dict[str, float], Details]:
    """The metric on training rows, what is looked at on test rows, and the details of those; within `looking`."""
    metrics = {"metric": run.task.metric_function}
    train_metric = math.nan
    if shows_train_metric(epoch, run.training):
        train_metric = evaluate_rows(run.task.train, metrics, run.look)["metric"]
        _set_streams(run)  # whether training rows were looked at changes no test metric
    metrics |= run.task.extra
    details = details_after(epoch, run.task, run.training)
    test = evaluate_in_detail(run.task.test, metrics, details, run.look)
    return train_metric, *test


@contextmanager
def looking(run: Run) -> Iterator[None]:
    """Whatever is drawn in here changes nothing in training: the run's random streams go on from where they are.

    Args:
        run: Whose streams.
    """
    with same_random_numbers():
        _set_streams(run)
        yield


@contextmanager
def own_stream(run: Run) -> Iterator[None]:
    """What the model draws in here (dropout) comes from the run's own random streams, for runs take turns.

    Args:
        run: Whose streams; they are left where the last draw left them.
    """
    with looking(run):
        yield
        _keep_streams(run)


def _set_streams(run: Run) -> None:
    """Let the global streams go on from where training is."""
    torch.set_rng_state(run.random_state)
    random_streams.set_beside_torch(run.streams, run.precision.device)


def _keep_streams(run: Run) -> None:
    """Let training go on from where the streams are now."""
    run.random_state, run.streams = torch.get_rng_state(), random_streams.beside_torch(run.precision.device)


def updates(run: Run) -> Iterator[Tensor]:
    """One pass over the training rows, update by update. To be consumed within `own_stream`.

    Args:
        run: Which; `train` counts its epochs, this does not.

    Yields:
        The loss of each update's rows, a scalar without gradient: as it was before the update, which is done.
    """
    batches = run.batches.epoch(run.epoch, run.order)
    for number in range(run.updates_per_epoch):
        yield update(run, number, list(islice(batches, run.training.accumulate)))


def update(run: Run, number: int, batches: Sequence[Batch]) -> Tensor:
    """One update.

    Args:
        run: What is trained.
        number: Number of the update in the current epoch, from 0; it decides the rate.
        batches: Inputs and targets; the loss of several is the mean of theirs, ``sum(losses) / len(losses)``, also in
            the last update of an epoch, which may have fewer of them.

    Returns:
        The loss before the update.
    """
    optimizers.set_rate(run.optimizer, run.rate(number))
    if not run.model.training:  # once an epoch: of a deep network it takes a share of an update
        run.model.train()
    run.optimizer.zero_grad()
    losses = []
    for inputs, targets in batches:
        with run.precision.forward(), hint_at_single_row(targets):
            loss = run.task.loss_function(run.task.call(run.model, inputs), targets)
        if len(batches) > 1:
            loss = loss / len(batches)
        run.precision.backward(loss)
        losses.append(loss.detach())
    run.precision.step(run.optimizer, run.training.clip_norm)
    if run.average is not None:
        run.average.update_parameters(run.model)
    return losses[0] if len(losses) == 1 else torch.stack(losses).sum()


@contextmanager
def hint_at_single_row(targets: Any) -> Iterator[None]:
    """Say what to do about a batch from which BatchNorm can take no variance.

    Args:
        targets: Of the batch.

    Raises:
        InputError: torch refused the batch, which has one row.
    """
    try:
        yield
    except ValueError as error:
        if nest.rows(targets) != 1 or "Expected more than 1 value per channel" not in str(error):
            raise
        rule = "the last batch of an epoch has one row, and BatchNorm needs two: set drop_last = true, or another"
        raise input_error("[training]", f"{rule} batch_size", key="drop_last", received="false") from error


def device_of(model: nn.Module) -> torch.device:
    """Where a network's parameters are; the CPU if it has none."""
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


def _before(look: Look) -> Before:
    task = look.task
    metrics = {LOSS: task.loss_function, "metric": task.metric_function}
    train = evaluate_rows(task.train, metrics, look)
    metrics = {"metric": task.metric_function, **task.extra}
    test, kept = evaluate_in_detail(task.test, metrics, details_after(0, task, look.training), look)
    return Before(train[LOSS], train["metric"], test.pop("metric"), test, kept)
