"""Does the batched engine train this task as the sequential loop does? Tried out, not looked up in a list.

Three lanes with different weights and rates take three real steps in both, and every number is compared: batch losses,
buffers, parameters, metrics. `vmap` refuses some modules (data-dependent control flow, packed sequences); others it
computes without a word and wrongly (a buffer that forward assigns anew), and only the numbers tell.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from lrsearch.schedules.annealing import Linear
from lrsearch.study_file.faults import show
from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks.data import Data, Rows, first, first_batch, pair
from lrsearch.tasks.metrics import Metric
from lrsearch.tasks.task import Task
from lrsearch.training import optimizers
from lrsearch.training.devices import moved
from lrsearch.training.engine import Lane
from lrsearch.training.evaluation import evaluate
from lrsearch.training.loop import looking, own_stream, start, update
from lrsearch.training.network_batch import NetworkBatch
from lrsearch.training.packing import packed, without_wrapper
from lrsearch.training.probe_words import sentence, words_for
from lrsearch.training.run import Run
from lrsearch.training.watch import ModuleWatch

_Result = TypeVar("_Result")

STEPS = 3
RATES = (1e-3, 3e-3, 1e-2)
EXACT = 1e-5
"""Largest relative difference in float64. Rounding leaves 1e-12; 1e-5 leaves room for a module that computes in float32
inside. In three steps at these rates a wrong gradient or statistic shows by far more."""
CALM = 1e-3
"""Smallest `eps` of Adam here. A gradient that is nothing but rounding (of a bias in front of a BatchNorm) would become
a full step in either direction, and the sequential loop would not agree with itself after a change of one last bit."""
ROUGH = 1e-2
"""In the task's own type, where it is coarser. Only for what is wrong in that type alone; the rest shows in float64."""


@dataclass(frozen=True)
class ProbeOutcome:
    """Whether the batched engine is right for a task, and if not, what disagreed; one line."""

    ok: bool
    reason: str = ""


class _DisagreementError(Exception):
    """What the two engines did not agree about."""


Made = Callable[[Task, list[Lane], TrainingSection, torch.device], NetworkBatch]
"""Makes the batch that is tried."""


def _batch(task: Task, lanes: list[Lane], training: TrainingSection, device: torch.device) -> NetworkBatch:
    return NetworkBatch(task, lanes, training, device, None)


def probe(
    task: Task, training: TrainingSection, device: str = "cpu", made: Made = _batch, *, twice: bool = True
) -> ProbeOutcome:
    """Compare the batched engine with the sequential loop on a few real steps.

    Args:
        task: What would be trained.
        training: Batch size, optimizer, seeds.
        device: Where.
        made: Makes the batch.
        twice: Whether it is tried in float64, too.
    """
    if reason := _unsupported(task, training):
        return ProbeOutcome(False, reason)
    given = _few_rows(moved(task, torch.device(device)), training)
    try:
        small = packed(given)
    except ValueError as error:
        return ProbeOutcome(False, str(error))
    training = training.model_copy(update={"epochs": STEPS, "evaluate_every": None, "eps": max(training.eps, CALM)})
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            # What vmap has no rule for it computes lane by lane, and warns: then there is nothing to gain.
            warnings.filterwarnings("error", message="There is a performance drop")
            if twice:
                _compare_in_both_types(small, training, device, made)
            else:
                _compare(small, training, device, ROUGH, made)
    except _DisagreementError as disagreement:
        reason = str(disagreement)
        return ProbeOutcome(False, reason if small is given else without_wrapper(reason))
    except Exception as error:
        return ProbeOutcome(False, sentence(error))
    return ProbeOutcome(True)


def _unsupported(task: Task, training: TrainingSection) -> str | None:
    """What only the sequential loop does, whatever the network is."""
    if task.streamed:
        return task.streamed
    if training.optimizer not in optimizers.TYPED:
        return f"training.optimizer = {show(training.optimizer)}; batches have {', '.join(optimizers.TYPED)}"
    settings = {"clip_norm": None, "accumulate": 1, "precision": "float32", "ema": None}
    used = [f"{key} = {show(getattr(training, key))}" for key, plain in settings.items()
            if getattr(training, key) != plain]  # fmt: skip
    used += [f"{key} = {show(value)}" for key, value in training.options.items()]
    if not used and task.parameters is not None:
        return "the task has parameter groups of its own"
    if not used and task.evaluation_gradients:
        return "the task evaluates with gradients"
    return f"training.{used[0]}" if used else None


def _compare_in_both_types(task: Task, training: TrainingSection, device: str, made: Made) -> None:
    if {value.dtype for value in task.model().parameters()} != {torch.float64}:
        _compare(task, training, device, ROUGH, made)
        task = _in_float64(task)
        if not _trains(task, training):
            return
    _compare(task, training, device, EXACT, made)


def _compare(task: Task, training: TrainingSection, device: str, tolerance: float, made: Made) -> None:
    """Take the steps in both, and compare.

    Raises:
        _DisagreementError: With what differs.
    """
    seeds = [(training.seeds[0] + lane) % 2**32 for lane in range(len(RATES))]
    lanes = [Lane(lr, Linear(), seed) for lr, seed in zip(RATES, seeds, strict=True)]
    runs = [start(task, lane.schedule, lane.lr, training, lane.seed) for lane in lanes]
    initial = [_copies(dict(run.model.named_parameters())) for run in runs]
    batch = made(task, lanes, training, torch.device(device))
    watch = ModuleWatch(batch.networks.module)
    _take_steps(runs, batch, watch, tolerance)
    _compare_parameters(runs, batch, watch, initial, tolerance)
    metrics = {task.metric_name: task.metric_function, **task.extra}
    for rows, data in (("training", batch.train), ("test", batch.test)):
        _compare_metrics(runs, batch, watch, metrics, (rows, data), tolerance)


def _take_steps(runs: list[Run], batch: NetworkBatch, watch: ModuleWatch, tolerance: float) -> None:
    step = 0
    while step < STEPS:
        rates = np.array([lane.of_epoch(batch.finished) for lane in batch.rates])
        orders = zip(*(run.order.epoch() for run in runs), strict=True)
        inputs, targets = batch.train
        for number, (rows, (rows_of_batch, rates_of_batch)) in enumerate(
            zip(orders, batch.updates(rates), strict=True)
        ):
            seen = [(inputs[rows[lane]], targets[rows[lane]]) for lane in range(len(runs))]
            expected = [_updated(run, number, seen[lane]) for lane, run in enumerate(runs)]
            losses = _watched(watch, partial(batch.update, rows_of_batch, rates_of_batch), "the loss")
            step += 1
            if changed := watch.changed_attribute():
                raise _DisagreementError(changed)
            _compare_buffers(runs, batch, watch, tolerance)
            for value, wanted in zip(losses.tolist(), expected, strict=False):
                _check(f"loss of step {step}", torch.tensor(value), torch.tensor(wanted), tolerance)
        batch.finished += 1
        for run in runs:
            run.epoch += 1


def _updated(run: Run, number: int, batch: Data) -> float:
    with own_stream(run):
        return float(update(run, number, [batch]))


def _compare_buffers(runs: list[Run], batch: NetworkBatch, watch: ModuleWatch, tolerance: float) -> None:
    for lane, run in enumerate(runs):
        for name, wanted in run.model.named_buffers():
            subject = f"{watch.owner_of(name)}: buffer {name.rpartition('.')[2]}"
            _check(subject, batch.networks.buffers[name][lane], wanted, tolerance)


def _compare_parameters(
    runs: list[Run], batch: NetworkBatch, watch: ModuleWatch, initial: list[dict[str, Tensor]], tolerance: float
) -> None:
    """Compare what the steps changed, against the largest change of the network."""
    parameters = batch.networks.parameters()
    for lane, run in enumerate(runs):
        changes = {name: value.detach() - initial[lane][name] for name, value in run.model.named_parameters()}
        largest = max((float(change.abs().max()) for change in changes.values() if change.numel()), default=0.0)
        for name, wanted in changes.items():
            subject = f"{watch.owner_of(name)}: parameter {name.rpartition('.')[2]}"
            _check(subject, parameters[name][lane] - initial[lane][name], wanted, tolerance, largest)


def _compare_metrics(
    runs: list[Run],
    batch: NetworkBatch,
    watch: ModuleWatch,
    metrics: Mapping[str, Metric],
    named_rows: tuple[str, Data],
    tolerance: float,
) -> None:
    rows, data = named_rows
    for name, metric in metrics.items():
        try:
            values = _watched(watch, partial(batch.evaluate, data, {name: metric}))[0][name]
        except _DisagreementError:
            raise
        except Exception as error:
            raise _DisagreementError(f"metric {name}: {sentence(error)}") from error
        for lane, run in enumerate(runs):
            with looking(run):
                wanted = evaluate(run.model, data, {name: metric})[name]
            _check(f"{name} of the {rows} rows", torch.tensor(values[lane]), torch.tensor(wanted), tolerance)


def _watched(watch: ModuleWatch, compute: Callable[[], _Result], outside: str = "") -> _Result:
    """Compute, and name the module if it raises inside one, or what is at work outside the model."""
    try:
        with watch.watching():
            return compute()
    except Exception as error:
        if name := watch.name_of_running():
            raise _DisagreementError(f"{name}: {sentence(error)}") from error
        if outside and words_for(error):
            raise _DisagreementError(f"{outside}: {sentence(error)}") from error
        raise


def _check(subject: str, value: Tensor, wanted: Tensor, tolerance: float, scale: float = 0.0) -> None:
    """Compare tensors number by number, against the largest of them or a larger scale."""
    if not wanted.dtype.is_floating_point:
        equal = torch.equal(value, wanted)
        difference = "is not the same"
    else:
        value, wanted = value.double(), wanted.detach().double()
        finite = wanted[wanted.isfinite()].abs()
        scale = max(scale, float(finite.max()) if finite.numel() else 0.0)
        allowed = tolerance * scale + (1e-12 if tolerance == EXACT else 1e-5)
        close = torch.isclose(value, wanted, rtol=0.0, atol=allowed, equal_nan=True)
        equal = bool(close.all())
        worst = ((value - wanted).abs().masked_fill(close, -math.inf)).argmax()
        difference = f"is {value.flatten()[worst]:.6g}, and {wanted.flatten()[worst]:.6g} one by one"
    if not equal:
        raise _DisagreementError(f"{subject} {difference}")


def _few_rows(task: Task, training: TrainingSection) -> Task:
    """The task with two full batches and its last, shorter one."""
    size, rows = training.batch_size, task.train_rows
    few = min(rows, 2 * size + (rows % size or size))
    return replace(task, train=first(task.train, few), test=first(task.test, 3 * size))


def _in_float64(task: Task) -> Task:
    def model() -> nn.Module:
        return task.model().double()

    def doubled(rows: Rows) -> Data:
        inputs, targets = (part.double() if part.is_floating_point() else part for part in pair(rows))
        return inputs, targets

    return replace(task, model=model, train=doubled(task.train), test=doubled(task.test))


def _trains(task: Task, training: TrainingSection) -> bool:
    """Whether the sequential loop can train it; some models hold their own type."""
    try:
        run = start(task, Linear(), RATES[0], training, training.seeds[0])
        update(run, 0, [first_batch(task.train, training.batch_size)])
    except (RuntimeError, TypeError, ValueError):
        return False
    return True


def _copies(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in tensors.items()}
