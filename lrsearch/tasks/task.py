"""What a study trains: data, model, loss and metric in one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.utils.data import Dataset

from lrsearch.errors import Fault, InputError, nearest
from lrsearch.tasks import direction as directions
from lrsearch.tasks.data import Collate, Rows, Streamed, count, kinds
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

    `train`, `test` and `holdout` are each a pair of tensors (inputs [rows, ...], targets [rows, ...]) or a map-style
    torch `Dataset` that gives an input and a target per row. A Dataset is read once and becomes such a pair; labels
    that are numbers become tensors, whole ones int64. It stays a Dataset, read by a DataLoader while the sequential
    engine trains, if its rows have different shapes, if reading a row draws random numbers (augmentation), if it would
    take more than a gibibyte, or if the task has a `collate`. Augment with torch's random numbers: they belong to the
    seed, so that a run can be repeated.

    Attributes:
        model: Makes a new network with fresh weights; called once per seed, without arguments.
        train: Rows that are trained on.
        test: Rows that the search judges by; the study's value is the metric on them after the last epoch. Of a Dataset
            that is read by a DataLoader it is the mean over batches, each counted by the number of its targets.
        loss: What is minimised: ``loss(outputs, targets) -> scalar tensor``, or the name of a metric.
        metric: What is reported: mse, mae, cross_entropy, error, accuracy, r2, f1, auroc, average_precision, iou; a
            callable like `loss`; or an object of torchmetrics.
        direction: ``minimize`` or ``maximize`` the metric. Names and torchmetrics' objects know it themselves; a
            callable is minimised unless this says otherwise.
        holdout: Rows that no step of the search sees; confirmation is scored on them.
        extra: Further metrics that are shown but not optimised: name -> callable, or the name of one, such as accuracy.
        collate: Makes a batch of a Dataset's rows, ``collate(rows) -> (inputs, targets)``, as a DataLoader's
            ``collate_fn``; inputs may be whatever the model takes, targets are a tensor.
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
        parameters: Groups | None = None,
        allow_nan: bool = False,
        evaluation_gradients: bool = False,
        details_each_epoch: bool = False,
    ) -> None:
        faults = [*_model_faults(model), *_metric_faults({"loss": loss}, LOSSES)]
        faults += [*_metric_faults({"metric": metric}, METRICS), *directions.faults(metric, direction)]
        faults += _extra_faults(extra or {})
        faults += _parameters_faults(parameters)
        if faults:
            raise InputError("task", faults)
        if not extra and isinstance(metric, str):
            extra = EXTRA_METRICS.get(metric, {})
        parts = {"train": train, "test": test, **({} if holdout is None else {"holdout": holdout})}
        values: dict[str, Any] = {"holdout": None, "model": model, "loss": loss, "metric": metric, "collate": collate}
        values |= {part: gather(part, given, collate) for part, given in parts.items()}
        values["extra"] = {name: _function(m) for name, m in (extra or {}).items()}
        values["direction"] = direction or directions.of(metric) or "minimize"
        values["details"] = dict(details or {})
        values |= {"parameters": parameters, "allow_nan": allow_nan, "evaluation_gradients": evaluation_gradients}
        values["details_each_epoch"] = details_each_epoch
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def train_rows(self) -> int:
        return count(self.train)

    @property
    def streamed(self) -> str | None:
        """Which rows are no tensors, and why; None if all that training needs are."""
        for part, rows in (("train", self.train), ("test", self.test)):
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


def _extra_faults(extra: object) -> Iterable[Fault]:
    if not isinstance(extra, Mapping):
        return [Fault("extra", 'must be a dictionary, such as {"accuracy": "accuracy"}', kinds(extra))]
    taken = [Fault("extra", f"must not be called {', '.join(RESERVED)}", f'"{n}"') for n in extra if n in RESERVED]
    return [*taken, *_metric_faults({f"extra.{name}": metric for name, metric in extra.items()}, METRICS)]
