"""A registered function that makes a task from options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, PydanticUserError, ValidationError, create_model

from lrsearch import registry
from lrsearch.errors import Fault, InputError, LrsearchError, input_error
from lrsearch.study_file.axes import StrictModel
from lrsearch.study_file.faults import validate
from lrsearch.study_file.model import TRAIN_SHARE
from lrsearch.tasks import train_share
from lrsearch.tasks.check import check
from lrsearch.tasks.data import kinds
from lrsearch.tasks.error_location import sentence
from lrsearch.tasks.fixed_seed import fixed_seed
from lrsearch.tasks.memory_limit import watched
from lrsearch.tasks.task import Task


@dataclass(frozen=True)
class TaskDefinition:
    """A registered task: a function that makes a `Task` from options.

    Attributes:
        name: Its name in study files.
        function: Makes the task; its keyword arguments are the options.
        options: Model of the options, with types and defaults.
        summary: First line of the function's docstring.
        has_share: Whether `train_share` is ours; False where the function has an option of that name itself.
    """

    name: str
    function: Callable[..., Task]
    options: type[BaseModel]
    summary: str
    has_share: bool = True

    def build(self, options: dict[str, Any]) -> Task:
        """The task with these options, tried on a few of its rows.

        Args:
            options: Option name -> value; the others take their defaults.

        Raises:
            InputError: An option is unknown or of the wrong type, the function failed, asked for more memory than
                there is or did not return a `Task`, or its parts do not fit each other (see `check`).
        """
        faults: list[Fault] = []
        checked = validate(self.options, options, "task", faults)
        if checked is None:
            raise InputError(f"task {self.name}", faults)
        given = dict(checked)
        share = given.pop(TRAIN_SHARE, None) if self.has_share else None
        try:
            with fixed_seed(), watched():
                made: object = self.function(**given)
        except InputError as error:
            raise InputError(f"task {self.name}", error.faults) from None
        except LrsearchError:
            raise
        except Exception as error:
            raise input_error(f"task {self.name}", f"fails: {sentence(error)}") from error
        if not isinstance(made, Task):
            raise input_error(f"task {self.name}", f"must return an lrsearch.Task, and returned {kinds(made)}")
        check(made, self.name)
        return made if share is None else train_share.reduced(made, share)

    def __call__(self, **options: Any) -> Task:
        """Same as `build`, with the options as keyword arguments."""
        return self.build(options)


@overload
def task(function: Callable[..., Task]) -> TaskDefinition: ...
@overload
def task(function: str | None = None) -> Callable[[Callable[..., Task]], TaskDefinition]: ...
def task(
    function: Callable[..., Task] | str | None = None,
) -> TaskDefinition | Callable[[Callable[..., Task]], TaskDefinition]:
    """Decorator that registers a function as a task, under its own name or, as ``@task("name")``, under another one.

    Args:
        function: Takes typed keyword options, each with a default, and returns a `Task`. Or the task's name.

    Returns:
        The definition, which can be called like the function; its options are checked then. Of a name, the decorator.

    Raises:
        InputError: An option has no type or no default, or a default that does not fit its type. Or the name is empty,
            or has a colon or a space, which a command could not tell from a file.
        LrsearchError: The name is taken.
    """
    if callable(function):
        return _registered(function, function.__name__)
    if function is not None and (not isinstance(function, str) or not function or set(function) & set(": \t\n")):
        rule = 'takes a name without colons and spaces, such as @lrsearch.task("wine")'
        raise input_error("@lrsearch.task", rule, received=repr(function))
    return lambda decorated: _registered(decorated, function or decorated.__name__)


def _registered(function: Callable[..., Task], name: str) -> TaskDefinition:
    documentation = inspect.getdoc(function) or ""
    own = TRAIN_SHARE in inspect.signature(function).parameters
    definition = TaskDefinition(name, function, _options_of(function), documentation.split("\n")[0], not own)
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
            function.__name__,
            __config__=ConfigDict(**StrictModel.model_config, validate_default=True),
            **{TRAIN_SHARE: train_share.FIELD, **fields},
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
