"""What a study trains: data, model, loss and metric in one value, made by a registered function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from torch import Tensor, nn

from lrsearch import registry
from lrsearch.errors import Fault, InputError, LrsearchError, input_error, nearest
from lrsearch.study_file.axes import StrictModel
from lrsearch.study_file.faults import validate
from lrsearch.tasks.metrics import EXTRA_METRICS, METRICS, Metric

Data = tuple[Tensor, Tensor]
"""Inputs [rows, ...] and targets [rows, ...]."""


@dataclass(frozen=True)
class Task:
    """Data, model, loss and metric.

    Attributes:
        model: Makes a new network with fresh weights; called once per seed, without arguments.
        train: Rows that are trained on.
        test: Rows that the search judges by; the study's value is the metric on them after the last epoch.
        loss: What is minimised: ``loss(outputs, targets) -> scalar tensor``, or the name of a metric.
        metric: What is reported, always minimised: mse, mae, cross_entropy, error, or a callable like `loss`.
        holdout: Rows that no step of the search sees; confirmation is scored on them.
        extra: Further metrics that are shown but not optimised, such as accuracy.

    Raises:
        InputError: A name is unknown, or inputs and targets do not have the same number of rows.
    """

    model: Callable[[], nn.Module]
    train: Data
    test: Data
    loss: Metric | str
    metric: Metric | str
    holdout: Data | None = None
    extra: dict[str, Metric] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part in ("train", "test", "holdout"):
            data = getattr(self, part)
            if data is not None and (len(data[0]) != len(data[1]) or len(data[0]) == 0):
                rule = f"{part} needs as many targets as inputs, and at least one row"
                raise _broken(rule, f"{len(data[0])} inputs, {len(data[1])} targets")
        for part in ("loss", "metric"):
            name = getattr(self, part)
            if isinstance(name, str) and name not in METRICS:
                raise InputError(f"task {part}", [_unknown_metric(name)])
        if isinstance(self.metric, str) and not self.extra:
            object.__setattr__(self, "extra", dict(EXTRA_METRICS.get(self.metric, {})))

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
        """The task with these options.

        Args:
            options: Option name -> value; the others take their defaults.

        Raises:
            InputError: An option is unknown or of the wrong type, or the function did not return a `Task`.
        """
        faults: list[Fault] = []
        checked = validate(self.options, options, "task", faults)
        if checked is None:
            raise InputError(f"task {self.name}", faults)
        made = self.function(**dict(checked))
        if not isinstance(made, Task):
            raise _broken(f"{self.function.__name__} must return lrsearch.Task", type(made).__name__, self.name)
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
        LrsearchError: An option has no type or no default, or the name is taken.
    """
    name = function.__name__
    documentation = inspect.getdoc(function) or ""
    definition = TaskDefinition(name, function, _options_of(function), documentation.split("\n")[0])
    registry.tasks.add(name, definition)
    return definition


def _options_of(function: Callable[..., Task]) -> type[BaseModel]:
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for option in inspect.signature(function).parameters.values():
        if option.name not in hints or option.default is option.empty:
            raise LrsearchError(
                f"task {function.__name__}: option {option.name!r} needs a type and a default, "
                f"such as `{option.name}: int = 3`"
            )
        fields[option.name] = (hints[option.name], option.default)
    try:
        model: type[BaseModel] = create_model(
            function.__name__, __config__=ConfigDict(**StrictModel.model_config, validate_default=True), **fields
        )
        model()
    except ValidationError as error:
        raise LrsearchError(f"task {function.__name__}: a default does not have its type: {error}") from None
    return model


def _broken(rule: str, received: str, name: str = "task") -> InputError:
    return input_error(name, rule, received=received)


def _unknown_metric(name: str) -> Fault:
    return Fault("", f"unknown metric; known: {', '.join(METRICS)}", f'"{name}"', nearest(name, METRICS))
