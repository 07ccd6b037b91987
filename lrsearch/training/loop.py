"""The one training loop. It yields what happened in each epoch; who asks decides what to do about it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lrsearch.errors import input_error
from lrsearch.schedules.base import Schedule
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks import nest
from lrsearch.tasks.data import same_random_numbers
from lrsearch.tasks.parameter_groups import groups_of
from lrsearch.tasks.task import Task
from lrsearch.training import optimizer_modes, optimizers, random_streams
from lrsearch.training.batch_metrics import LOSS, Details
from lrsearch.training.batches import DataOrder, epoch_rows
from lrsearch.training.divergence import diverged
from lrsearch.training.evaluation import Look, details_after, evaluate_in_detail, evaluate_rows, shows_train_metric
from lrsearch.training.precision import Precision, check_precision
from lrsearch.training.reading import Batch
from lrsearch.training.run import Before, BestWeights, EpochRecord, Run
from lrsearch.training.training_batches import TrainingBatches
from lrsearch.training.weight_average import average_of


@dataclass(frozen=True)
class Beginning:
    """What a seed decides of a run, and its settings do not: weights, data order, and what both begin at.

    Attributes:
        model: The network.
        order: Of the rows.
        random_state: Of the run's own torch stream.
        streams: Of the others.
        precision: What forward passes compute in.
        before: What was measured before the first update.
    """

    model: nn.Module
    order: DataOrder
    random_state: Tensor
    streams: random_streams.Streams
    precision: Precision
    before: Before


def begin(task: Task, training: TrainingSection, seed: int, before: Before | None = None) -> Beginning:
    """What a seed decides of a run. Draws from no random stream but the run's own, and makes no optimizer.

    Args:
        task: What is trained.
        training: Epochs, batch size.
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
    order = DataOrder(stream, epoch_rows(task, training), training.batch_size, drop_last=training.drop_last)
    return Beginning(model, order, random_state, streams, precision, before)


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
    begun = begin(task, training, seed, before)
    return Run(
        task=task,
        schedule=schedule.directed(task.maximises),
        lr=lr,
        training=training,
        seed=seed,
        model=begun.model,
        optimizer=optimizers.build(training, groups_of(task.parameters, begun.model), lr),
        order=begun.order,
        batches=TrainingBatches(task.train, training, seed, begun.precision.device),
        random_state=begun.random_state,
        streams=begun.streams,
        precision=begun.precision,
        before=begun.before,
        average=average_of(begun.model, training),
    )


def train(run: Run, epochs: int | None = None) -> Iterator[EpochRecord]:
    """Train on, one record per evaluation, until the horizon, or until the run diverges or its patience ends.

    Args:
        run: Where to go on from; it is advanced.
        epochs: Stop after so many records; by default at the last one of the run's training section.

    Yields:
        The record of each epoch, or of each stretch of `evaluate_every` updates, when it is finished.
    """
    last = run.evaluations.count if epochs is None else run.epoch + epochs
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
    if shows_train_metric(epoch, run.training, run.evaluations.count):
        train_metric = evaluate_rows(run.task.train, metrics, run.look)["metric"]
        _set_streams(run)  # whether training rows were looked at changes no test metric
    metrics |= run.task.extra
    details = details_after(epoch, run.task, run.evaluations.count)
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
    """The updates up to the next evaluation: one pass over the training rows, unless `evaluate_every` says otherwise.

    To be consumed within `own_stream`.

    Args:
        run: Which; `train` counts its evaluations, this does not.

    Yields:
        The loss of each update's rows, a scalar without gradient: as it was before the update, which is done.
    """
    first = run.updates
    with optimizer_modes.training(run.optimizer):
        for number in range(run.evaluations.updates_until(run.epoch + 1) - first):
            yield update(run, number, run.batches.update(first + number, run.order))


def update(run: Run, number: int, batches: Sequence[Batch]) -> Tensor:
    """One update.

    Args:
        run: What is trained.
        number: Number of the update since the last evaluation, from 0; it decides the rate.
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
    test, kept = evaluate_in_detail(task.test, metrics, details_after(0, task, look.training.epochs), look)
    return Before(train[LOSS], train["metric"], test.pop("metric"), test, kept)
