"""What a study trains: data, model, loss and metric in one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn
from torch.utils.data import Dataset, IterableDataset

from lrsearch.errors import Fault, InputError, nearest
from lrsearch.tasks import direction as directions
from lrsearch.tasks.calling import Call, passed
from lrsearch.tasks.data import Collate, Rows, Stream, Streamed, count, kinds
from lrsearch.tasks.dataset_conversion import gather
from lrsearch.tasks.direction import Direction
from lrsearch.tasks.metrics import EXTRA_METRICS, LOSSES, METRICS, Metric
from lrsearch.tasks.parameter_groups import Groups
from lrsearch.tasks.torchmetrics_by_name import is_object, on_whole_set

RESERVED = ("metric", "loss", "number", "epoch", "lr", "train_metric", "test_metric")
"""Names that an extra metric cannot have: reports have columns of these names."""


@dataclass(frozen=True, init=False)
class Task:
    """Data, model, loss and metric.

    `train`, `test` and `holdout` are each a pair (inputs [rows, ...], targets [rows, ...]) or a torch `Dataset` that
    gives an input and a target per row. Inputs, targets and the model's outputs are tensors, or dicts, tuples, lists,
    named tuples or dataclasses of them (see `nest`). A map-style Dataset is read once and becomes such a pair; labels
    that are numbers become tensors, whole ones int64. It stays a Dataset, read by a DataLoader while the sequential
    engine trains, if its rows have different shapes, if reading a row draws random numbers (augmentation), if it would
    take more than a gibibyte, or if the task has a `collate`. An `IterableDataset` is a stream: `train` is read as it
    comes, the others once to their end. What rows draw from torch, numpy or `random` belongs to the seed.

    Attributes:
        model: Makes a new network with fresh weights; called once per seed, without arguments.
        train: Rows that are trained on.
        test: Rows that the search judges by; the study's value is the metric on them after the last epoch.
        loss: What is minimised: ``loss(outputs, targets) -> scalar tensor``, or the name of a metric.
        metric: What is reported: mse, mae, cross_entropy, error, accuracy, r2, f1, auroc, average_precision, iou; a
            callable like `loss`; or an object of torchmetrics.
        direction: ``minimize`` or ``maximize`` the metric. Names and torchmetrics' objects know it themselves; a
            callable is minimised unless this says otherwise.
        holdout: Rows that no step of the search sees; confirmation is scored on them.
        extra: Further metrics that are shown but not optimised: name -> callable, or the name of one, such as accuracy.
        collate: Makes a batch of a Dataset's rows, ``collate(rows) -> (inputs, targets)``, as a DataLoader's
            ``collate_fn``; inputs may be whatever the model takes, targets whatever loss and metric take.
        forward: Calls the network, ``forward(model, inputs) -> outputs``. By default inputs are passed as
            ``model(**inputs)`` where they are a mapping, as ``model(*inputs)`` where they are a tuple or list, and as
            ``model(inputs)`` otherwise.
        steps_per_epoch: Batches that are called an epoch of a stream, before any are accumulated.
        reduce: ``mean`` says that the metrics are means over rows, which may be taken batch by batch where memory is
            short; without it a callable sees the outputs and targets of all rows at once.
        parameters: Groups of the network's parameters,
            ``parameters(model) -> [{"params": ..., "lr_scale": 10.0, "weight_decay": 0.0}, ...]``: the schedule's rate
            is multiplied by a group's `lr_scale`, and its arguments of the optimizer hold for it alone. Each parameter
            that is trained is in one group.
        allow_nan: Inputs and targets may hold NaN, which the model or the loss masks.
        evaluation_gradients: Evaluate with gradients, for a model that needs them inside forward.
        details_each_epoch: Not for people: whether `details` are looked at after every epoch, because it is not known
            beforehand which of them will count.
        details: Not for people: the confirmation puts metrics here that give a vector,
            ``(outputs, targets) -> [parts]``. They are looked at on the test rows before training and after the last
            epoch; one that fails is left out. Of rows that a DataLoader reads they give a number per batch, and the
            batches are the parts.

    Raises:
        InputError: A part is of the wrong kind, a name is unknown, or inputs and targets differ in number.
    """

    model: Callable[[], nn.Module]
    train: Rows
    test: Rows
    loss: Metric | str
    metric: Metric | str
    direction: Direction
    holdout: Rows | None
    extra: dict[str, Metric]
    collate: Collate | None
    details: dict[str, Metric]
    forward: Call | None
    steps_per_epoch: int | None
    reduce: Literal["mean"] | None
    parameters: Groups | None
    allow_nan: bool
    evaluation_gradients: bool
    details_each_epoch: bool

    def __init__(
        self,
        model: Callable[[], nn.Module],
        train: Rows | Dataset[Any],
        test: Rows | Dataset[Any],
        loss: Metric | str,
        metric: Metric | str,
        holdout: Rows | Dataset[Any] | None = None,
        extra: Mapping[str, Metric | str] | None = None,
        collate: Collate | None = None,
        details: Mapping[str, Metric] | None = None,
        direction: Direction | None = None,
        forward: Call | None = None,
        steps_per_epoch: int | None = None,
        reduce: Literal["mean"] | None = None,
        parameters: Groups | None = None,
        allow_nan: bool = False,
        evaluation_gradients: bool = False,
        details_each_epoch: bool = False,
    ) -> None:
        faults = [*_model_faults(model), *_metric_faults({"loss": loss}, LOSSES)]
        faults += [*_metric_faults({"metric": metric}, METRICS), *directions.faults(metric, direction)]
        faults += [*_extra_faults(extra or {}), *_reading_faults(train, forward, steps_per_epoch, reduce)]
        faults += _parameters_faults(parameters)
        if faults:
            raise InputError("task", faults)
        if not extra and isinstance(metric, str):
            extra = EXTRA_METRICS.get(metric, {})
        parts = {"train": train, "test": test, **({} if holdout is None else {"holdout": holdout})}
        values: dict[str, Any] = {"holdout": None, "model": model, "loss": loss, "metric": metric, "collate": collate}
        values |= {part: gather(part, given, collate, steps_per_epoch) for part, given in parts.items()}
        values |= {"forward": forward, "steps_per_epoch": steps_per_epoch, "reduce": reduce}
        values["extra"] = {name: _function(m) for name, m in (extra or {}).items()}
        values["direction"] = direction or directions.of(metric) or "minimize"
        values["details"] = dict(details or {})
        values |= {"parameters": parameters, "allow_nan": allow_nan, "evaluation_gradients": evaluation_gradients}
        values["details_each_epoch"] = details_each_epoch
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def train_rows(self) -> int:
        """Training rows; a stream has none that could be counted (see `batches.epoch_rows`)."""
        return count(self.train)

    @property
    def call(self) -> Call:
        """How the network is given its inputs."""
        return self.forward or passed

    @property
    def streamed(self) -> str | None:
        """Which rows are no tensors, and why; None if all that training needs are."""
        for part, rows in (("train", self.train), ("test", self.test)):
            if isinstance(rows, Stream):
                return f"{part} rows come from a stream"
            if isinstance(rows, Streamed):
                return f"{part} rows are read from a Dataset: {rows.reason}"
        return None

    @property
    def loss_function(self) -> Metric:
        return _function(self.loss)

    @property
    def metric_function(self) -> Metric:
        return _function(self.metric)

    @property
    def maximises(self) -> bool:
        """Whether larger values of the metric are better."""
        return self.direction == "maximize"

    @property
    def metric_name(self) -> str:
        if isinstance(self.metric, str):
            return self.metric
        return getattr(self.metric, "__name__", type(self.metric).__name__).lower()


def _function(metric: Metric | str) -> Metric:
    if isinstance(metric, str):
        return METRICS[metric]
    return on_whole_set(metric) if is_object(metric) else metric


def _model_faults(model: object) -> Iterable[Fault]:
    rule = "must be a function that makes a new network, such as `model=lambda: Net()`"
    if isinstance(model, nn.Module):
        yield Fault("model", rule, f"one {type(model).__name__}, which every trial would go on training")
    elif not callable(model):
        yield Fault("model", rule, kinds(model))


def _parameters_faults(parameters: object) -> Iterable[Fault]:
    if parameters is not None and not callable(parameters):
        rule = 'must be a function of the model, such as `lambda model: [{"params": model.parameters()}]`'
        yield Fault("parameters", rule, kinds(parameters))


def _metric_faults(given: Mapping[str, object], known: Mapping[str, Metric]) -> Iterable[Fault]:
    for key, metric in given.items():
        if isinstance(metric, str) and metric not in known:
            rule = f"unknown metric; there are {', '.join(known)}, or give a callable"
            yield Fault(key, rule, f'"{metric}"', nearest(metric, known))
        elif not isinstance(metric, str) and not callable(metric):
            yield Fault(key, "must be a callable(outputs, targets) or the name of a metric", kinds(metric))


def _reading_faults(train: object, forward: object, steps: object, reduce: object) -> Iterable[Fault]:
    if forward is not None and not callable(forward):
        yield Fault("forward", "must be a callable(model, inputs) that gives the outputs", kinds(forward))
    if reduce not in (None, "mean"):
        rule = 'must be "mean", for metrics that are means over rows, or be left out'
        yield Fault("reduce", rule, repr(reduce))
    if steps is None:
        return
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        yield Fault("steps_per_epoch", "must be a whole number of batches, at least 1", repr(steps))
    elif not isinstance(train, (IterableDataset, Stream)):
        rule = "is only for a stream: an epoch of other rows goes through all of them"
        yield Fault("steps_per_epoch", rule, str(steps))


def _extra_faults(extra: object) -> Iterable[Fault]:
    if not isinstance(extra, Mapping):
        return [Fault("extra", 'must be a dictionary, such as {"accuracy": "accuracy"}', kinds(extra))]
    taken = [Fault("extra", f"must not be called {', '.join(RESERVED)}", f'"{n}"') for n in extra if n in RESERVED]
    return [*taken, *_metric_faults({f"extra.{name}": metric for name, metric in extra.items()}, METRICS)]
