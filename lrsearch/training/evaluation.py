"""Metrics over all rows of a data set, in eval mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import nn

from lrsearch.study_file.model import TrainingSection
from lrsearch.tasks import nest
from lrsearch.tasks.calling import Call, passed
from lrsearch.tasks.data import Data, Rows, Stream, Streamed, count
from lrsearch.tasks.evaluation_gradients import evaluated_call
from lrsearch.tasks.metrics import Metric
from lrsearch.tasks.task import Task
from lrsearch.training.batch_metrics import BatchMetrics, Details, details_of, values_of
from lrsearch.training.precision import Precision
from lrsearch.training.random_streams import LOOK
from lrsearch.training.reading import Batch, in_order, read, read_stream

EVALUATION_ROWS = 8192
"""Rows in one forward pass of an evaluation: enough for speed, few enough for memory."""


def shows_train_metric(number: int, training: TrainingSection, last: int) -> bool:
    """Whether an evaluation looks at the metric on training rows, too; no decision rests on it.

    Args:
        number: The evaluation, from 1.
        training: After how many of them it is looked at.
        last: How many there are.
    """
    return number % training.train_metric_every == 0 or number == last


def details_after(number: int, task: Task, last: int) -> Mapping[str, Metric]:
    """The task's `details` if an evaluation looks at them, and none otherwise.

    Args:
        number: The evaluation, from 1; 0 before training.
        task: What is trained.
        last: How many there are.
    """
    return task.details if task.details_each_epoch or number in (0, last) else {}


@dataclass(frozen=True)
class Look:
    """How a network is looked at.

    Attributes:
        task: What is trained.
        model: The network.
        precision: What its forward passes compute in.
        training: Batch size, and processes that read a Dataset.
        seed: Of the run; it decides what reading rows draws, the same at every look.
    """

    task: Task
    model: nn.Module
    precision: Precision
    training: TrainingSection
    seed: int

    def batches(self, rows: Streamed) -> Iterator[tuple[Batch, int]]:
        """The rows, batch by batch, and how many were read for each; of a stream those of its first epoch."""
        size, workers, device = self.training.batch_size, self.training.loader_workers, self.precision.device
        if isinstance(rows, Stream):
            stream = read_stream(rows, size, device, workers, self.seed, drop_last=self.training.drop_last)
            return ((batch, size) for batch in islice(stream, rows.steps))
        numbers = in_order(count(rows), size)
        return zip(read(rows, numbers, device, workers, self.seed, LOOK), map(len, numbers), strict=True)

    def outputs(self, inputs: Any) -> Any:
        """What the network gives in eval mode, without gradients."""
        return _outputs(self.model, evaluated_call(self.task), inputs, self.precision)


def evaluate_rows(rows: Rows, metrics: Mapping[str, Metric], look: Look) -> dict[str, float]:
    """Metrics over all rows.

    Args:
        rows: Tensors, or what is read batch by batch.
        metrics: Name -> metric. The task's loss is a mean over batches where rows are read batch by batch.
        look: How.

    Returns:
        Name -> value.

    Raises:
        InputError: The outputs of batches do not fit together, and a metric wants them all at once.
    """
    return evaluate_in_detail(rows, metrics, {}, look)[0]


def evaluate_in_detail(
    rows: Rows, metrics: Mapping[str, Metric], details: Mapping[str, Metric], look: Look
) -> tuple[dict[str, float], Details]:
    """Metrics over all rows, and beside them details of the same outputs; the metrics are what they are without.

    Args:
        rows: As in `evaluate_rows`.
        metrics: As in `evaluate_rows`.
        details: Name -> metric that gives a vector, or of a Dataset perhaps a number for each batch.
        look: As in `evaluate_rows`.

    Returns:
        Name -> value, and name -> [parts] of those details that did not fail.
    """
    if isinstance(rows, Streamed):
        batches = BatchMetrics(look.task, metrics, details)
        for (inputs, targets), size in look.batches(rows):
            batches.add(look.outputs(inputs), targets, nest.rows(targets) or size)
        return batches.came_to()
    if look.task.reduce != "mean":
        return _evaluate(look.model, evaluated_call(look.task), rows, metrics, details, look.precision)
    pieces = BatchMetrics(look.task, metrics, {})
    for numbers in in_order(count(rows), EVALUATION_ROWS):
        inputs, targets = (nest.taken(part, slice(int(numbers[0]), int(numbers[-1]) + 1)) for part in rows)
        pieces.add(look.outputs(inputs), targets, len(numbers))
    kept = _evaluate(look.model, evaluated_call(look.task), rows, {}, details, look.precision)[1] if details else {}
    return pieces.came_to()[0], kept


def evaluate(
    model: nn.Module,
    data: Data,
    metrics: Mapping[str, Metric],
    precision: Precision | None = None,
    call: Call = passed,
) -> dict[str, float]:
    """Metrics over whole tensors, in eval mode and without gradients; draws no random numbers.

    Args:
        model: The network.
        data: Inputs and targets.
        metrics: Name -> metric.
        precision: What the forward passes compute in; the model's own type by default.
        call: How the network is given its inputs.

    Returns:
        Name -> value.
    """
    device = nest.tensors(data[0])[0].device
    return _evaluate(model, call, data, metrics, {}, precision or Precision("float32", device))[0]


def _evaluate(
    model: nn.Module,
    call: Call,
    data: Data,
    metrics: Mapping[str, Metric],
    details: Mapping[str, Metric],
    precision: Precision,
) -> tuple[dict[str, float], Details]:
    inputs, targets = data
    number = count(data)
    rows = EVALUATION_ROWS
    while True:
        try:
            parts = [nest.taken(inputs, slice(begin, begin + rows)) for begin in range(0, number, rows)]
            given = [_outputs(model, call, part, precision) for part in parts]
            outputs = nest.joined(given, [nest.rows(part) or 0 for part in parts])
            return values_of(metrics, outputs, targets), details_of(details, outputs, targets)
        except torch.OutOfMemoryError:
            rows = min(rows, number) // 2
            if not rows:
                raise


def _outputs(model: nn.Module, call: Call, inputs: Any, precision: Precision) -> Any:
    model.eval()
    with torch.no_grad(), precision.forward():
        return precision.result(call(model, inputs))
