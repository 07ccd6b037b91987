"""A task as a person names it: `NAME`, `FILE:NAME`, or `FILE` with one task in it."""

from __future__ import annotations

from collections.abc import Sequence

from lrsearch import registry
from lrsearch.errors import input_error, nearest


def source_of(task: str) -> str | None:
    """The file or module that a task is named with; None for a name alone.

    Args:
        task: As it was typed.
    """
    if task.endswith(".py"):
        return task
    return task.rpartition(":")[0] or None


def optimizer_sources(settings: Sequence[str]) -> list[str]:
    """The file or module that ``--set training.optimizer=module:Class`` names, if there is such a setting.

    Args:
        settings: ``key=value`` each, as they were typed.
    """
    pairs = [setting.partition("=") for setting in settings]
    values = [value.strip().strip("\"'") for key, _, value in pairs if key.strip() == "training.optimizer"]
    from lrsearch.study_file import optimizer_keys  # pydantic takes a while

    return [source for value in values if (source := optimizer_keys.source({"optimizer": value})) is not None]


def found(task: str, modules: Sequence[str], command: str) -> str:
    """The name of a registered task; the file or module that it is named with is loaded.

    Args:
        task: As it was typed.
        modules: Further files and modules to load first.
        command: Who asks, for messages.

    Raises:
        InputError: There is no such file or task, or the file has several and none is named.
    """
    from lrsearch.tasks import loading

    file = source_of(task)
    name = "" if file == task else task.rpartition(":")[2]
    before = set(registry.tasks) if file else set()
    loading.load([*modules, *([file] if file else [])])
    module = getattr(loading.loaded(file), "__name__", None) if file else None
    # A file that was loaded before registers nothing a second time.
    own = [other for other in registry.tasks
           if file and (other not in before or registry.tasks.get(other).function.__module__ == module)]  # fmt: skip
    if not name and len(own) == 1:
        return own[0]
    if name in registry.tasks:
        return name
    if file and not own:
        rule = "registers no task: write @lrsearch.task above a function that returns an lrsearch.Task"
        raise input_error(command, rule, received=f'"{file}"')
    known = own or list(registry.tasks)
    rule = f"name one of its tasks: {', '.join(f'{file}:{other}' for other in known)}"
    if name:
        rule = f"no such task{' in it' if file else ''}; there are {', '.join(known)}"
    raise input_error(command, rule, received=f'"{task}"', nearest=nearest(name, known))
