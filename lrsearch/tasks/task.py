"""What a study trains: data, model, loss and metric in one value, made by a registered function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticUserError, ValidationError, create_model
from torch import nn
from torch.utils.data import Dataset

from lrsearch import registry
from lrsearch.errors import Fault, InputError, LrsearchError, input_error, nearest
from lrsearch.study_file.axes import StrictModel
from lrsearch.study_file.faults import validate
from lrsearch.tasks.check import check
from lrsearch.tasks.data import Collate, Rows, Streamed, count, kinds
from lrsearch.tasks.dataset_conversion import gather
from lrsearch.tasks.error_location import sentence
from lrsearch.tasks.fixed_seed import fixed_seed
from lrsearch.tasks.metrics import EXTRA_METRICS, METRICS, SHOWN, Metric

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
        metric: What is reported, always minimised: mse, mae, cross_entropy, error, or a callable like `loss`.
        holdout: Rows that no step of the search sees; confirmation is scored on them.
        extra: Further metrics that are shown but not optimised: name -> callable, or the name of one, such as accuracy.
        collate: Makes a batch of a Dataset's rows, ``collate(rows) -> (inputs, targets)``, as a DataLoader's
            ``collate_fn``; inputs may be whatever the model takes, targets are a tensor.

    Raises:
        InputError: A part is of the wrong kind, a name is unknown, or inputs and targets differ in number.
    """

    model: Callable[[], nn.Module]
    train: Rows
    test: Rows
    loss: Metric | str
    metric: Metric | str
    holdout: Rows | None
    extra: dict[str, Metric]
    collate: Collate | None

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
    ) -> None:
        faults = [*_model_faults(model), *_metric_faults({"loss": loss, "metric": metric}, METRICS)]
        faults += _extra_faults(extra or {})
        if faults:
            raise InputError("task", faults)
        if not extra and isinstance(metric, str):
            extra = EXTRA_METRICS.get(metric, {})
        parts = {"train": train, "test": test, **({} if holdout is None else {"holdout": holdout})}
        values: dict[str, Any] = {"holdout": None, "model": model, "loss": loss, "metric": metric, "collate": collate}
        values |= {part: gather(part, given, collate) for part, given in parts.items()}
        values["extra"] = {name: SHOWN[m] if isinstance(m, str) else m for name, m in (extra or {}).items()}
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
        return METRICS[self.loss] if isinstance(self.loss, str) else self.loss

    @property
    def metric_function(self) -> Metric:
        return METRICS[self.metric] if isinstance(self.metric, str) else self.metric

    @property
    def metric_name(self) -> str:
        if isinstance(self.metric, str):
            return self.metric
        return getattr(self.metric, "__name__", type(self.metric).__name__).lower()


@dataclass(frozen=True)
class TaskDefinition:
    """A registered task: a function that makes a `Task` from options.

    Attributes:
        name: Its name in study files.
        function: Makes the task; its keyword arguments are the options.
        options: Model of the options, with types and defaults.
        summary: First line of the function's docstring.
    """

    name: str
    function: Callable[..., Task]
    options: type[BaseModel]
    summary: str

    def build(self, options: dict[str, Any]) -> Task:
        """The task with these options, tried on a few of its rows.

        Args:
            options: Option name -> value; the others take their defaults.

        Raises:
            InputError: An option is unknown or of the wrong type, the function failed or did not return a `Task`, or
                its parts do not fit each other (see `check`).
        """
        faults: list[Fault] = []
        checked = validate(self.options, options, "task", faults)
        if checked is None:
            raise InputError(f"task {self.name}", faults)
        try:
            with fixed_seed():
                made: object = self.function(**dict(checked))
        except InputError as error:
            raise InputError(f"task {self.name}", error.faults) from None
        except LrsearchError:
            raise
        except Exception as error:
            raise input_error(f"task {self.name}", f"fails: {sentence(error)}") from error
        if not isinstance(made, Task):
            raise input_error(f"task {self.name}", f"must return an lrsearch.Task, and returned {kinds(made)}")
        check(made, self.name)
        return made

    def __call__(self, **options: Any) -> Task:
        """Same as `build`, with the options as keyword arguments."""
        return self.build(options)


def task(function: Callable[..., Task]) -> TaskDefinition:
    """Decorator that registers a function as a task under its own name.

    Args:
        function: Takes typed keyword options, each with a default, and returns a `Task`.

    Returns:
        The definition, which can be called like the function; its options are checked then.

    Raises:
        InputError: An option has no type or no default, or a default that does not fit its type.
        LrsearchError: The name is taken.
    """
    name = function.__name__
    documentation = inspect.getdoc(function) or ""
    definition = TaskDefinition(name, function, _options_of(function), documentation.split("\n")[0])
    registry.tasks.add(name, definition)
    return definition


def _options_of(function: Callable[..., Task]) -> type[BaseModel]:
    source = f"task {function.__name__}"
    hints = get_type_hints(function, include_extras=True)
    faults: list[Fault] = []
    fields: dict[str, Any] = {}
    for option in inspect.signature(function).parameters.values():
        if option.name not in hints or option.default is option.empty:
            faults.append(Fault(option.name, f"needs a type and a default, such as `{option.name}: int = 3`"))
        else:
            fields[option.name] = (hints[option.name], option.default)
    if faults:
        raise InputError(source, faults)
    try:
        model: type[BaseModel] = create_model(
            function.__name__, __config__=ConfigDict(**StrictModel.model_config, validate_default=True), **fields
        )
        model()
    except ValidationError as error:
        wrong = [Fault(str(part["loc"][0]), "the default does not have the type", repr(part["input"]))
                 for part in error.errors()]  # fmt: skip
        raise InputError(source, wrong) from None
    except PydanticUserError as error:
        rule = f"options are numbers, texts, booleans, or lists of them: {str(error).splitlines()[0]}"
        raise input_error(source, rule) from None
    return model


def _model_faults(model: object) -> Iterable[Fault]:
    rule = "must be a function that makes a new network, such as `model=lambda: Net()`"
    if isinstance(model, nn.Module):
        yield Fault("model", rule, f"one {type(model).__name__}, which every trial would go on training")
    elif not callable(model):
        yield Fault("model", rule, kinds(model))


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
    return [*taken, *_metric_faults({f"extra.{name}": metric for name, metric in extra.items()}, SHOWN)]
